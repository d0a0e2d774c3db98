"""What a stage gets: the recipe, the run's folder, and references turned into data."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from segadapt.artefacts import (
    BOXES_FILE,
    CHECKPOINT_FILE,
    SCENES_FOLDER,
    TEACHER_FILE,
    ClassCounts,
    ClassPrior,
    ImageSet,
    LabelSet,
    Selection,
    Split,
)
from segadapt.base.classes import ClassSet
from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError, first_line, shortened
from segadapt.config.model import ModelConfig
from segadapt.config.recipe import Recipe
from segadapt.config.stage import Stage
from segadapt.config.views import Views
from segadapt.data.boxes.predicted import with_predicted_boxes
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain
from segadapt.data.listing import dataset_reader, find_class_map, open_domain
from segadapt.data.paths import open_root
from segadapt.data.pixel_cache import PixelCache, default_folder
from segadapt.engine.fabric import Processes
from segadapt.engine.predict import Predictor
from segadapt.losses.segmentation import IGNORE
from segadapt.models.files.checkpoints import load_checkpoint

OF_IMAGES = ("images", "labels", "indexed_labels", "translation")
"""Kinds of outputs that are images, or labels beside them."""


@dataclass(frozen=True)
class StageContext:
    """The run that a stage belongs to."""

    recipe: Recipe
    directory: Path
    data_root: Path
    seed: int
    compute: Compute = field(default_factory=Compute)
    track: tuple[str, ...] = ()
    """Trackers that follow the run."""
    cache_dir: Path | None = None
    """Where images of domains with ``cache`` are kept; the user's cache folder where not given."""

    def stage_directory(self, name: str) -> Path:
        """The folder of stage ``name``, such as ``RUN/2-advent``."""
        return self.directory / f"{list(self.recipe.stages).index(name) + 1}-{name}"

    def stage_seed(self, name: str) -> int:
        """A seed for stage ``name`` that depends on the run's seed and the name alone."""
        return zlib.crc32(f"{self.seed}/{name}".encode())

    def domain_root(self, name: str) -> Path:
        """The folder that holds the data of a domain of the recipe."""
        config = self.recipe.domains[name]
        if config.drawn_by is not None:
            return self.stage_directory(config.drawn_by) / SCENES_FOLDER
        root = config.root or dataset_reader(config.dataset).DEFAULT_ROOT
        return self.file(root)

    def image_list(self, name: str) -> Path | None:
        """The file that names the images of a domain, where the recipe gives one."""
        given = self.recipe.domains[name].list
        return None if given is None else self.file(given)

    def domain(self, reference: str, labelled: bool) -> Domain:
        """The images behind a reference, with labels only where ``labelled``.

        Args:
            reference: a domain's name, ``STAGE.easy``, ``STAGE.hard``, ``STAGE.labels`` or
                ``STAGE.images``.
            labelled: whether labels will be read. Pseudo-labels are labels; a split has none.

        Raises:
            SegadaptError: the data are not there, or not as an earlier stage left them.
        """
        if reference in self.recipe.domains:
            return self._of_recipe(reference, labelled)
        stage_name, _, output = reference.partition(".")
        folder = self.stage_directory(stage_name)
        kind = self.recipe.stages[stage_name].outputs[output]
        if kind == "translation":
            return self._translated(folder, labelled)
        if kind == "images":
            return self._part(folder, reference, output)
        return self._pseudo_labelled(folder)

    def _of_recipe(self, name: str, labelled: bool) -> Domain:
        config = self.recipe.domains[name]
        if (name, labelled) in self._listed:
            return self._listed[name, labelled]
        root, image_list = self.domain_root(name), self.image_list(name)
        domain = open_domain(config, root, labelled, f"domain {name!r}", image_list)
        if config.cache:
            domain = self._cached(domain)
        if config.drawn_by is None:  # what a stage draws is listed when it is there
            self._listed[name, labelled] = domain
        return domain

    @cached_property
    def _listed(self) -> dict[tuple[str, bool], Domain]:
        """Domains by name, with labels and without: a million files take most of a minute to list,
        and a run asks for its domains at every check and stage."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # Other processes list for themselves: that takes no longer than to be sent it.
        return {key: value for key, value in self.__dict__.items() if key != "_listed"}

    def _cached(self, domain: Domain) -> Domain:
        classes = domain.classes
        if classes.boxes or classes.whole_image:
            kind = "boxes" if classes.boxes else "one label for an image"
            raise SegadaptError(
                f"{domain.title}: cache is for images with a label for each pixel, and these have "
                f"{kind}; leave it out"
            )
        return replace(domain, cache=self.pixel_cache)

    @cached_property
    def pixel_cache(self) -> PixelCache:
        """Keeps the images of domains with ``cache``.

        Raises:
            SegadaptError: no folder is given, and the user has no home.
        """
        return PixelCache(self.cache_dir or default_folder())

    def _part(self, folder: Path, reference: str, output: str) -> Domain:
        split = Split.load(folder)
        names = split.names(output)
        if not names:
            raise SegadaptError(
                f"{reference}: the {output} part of the {len(split.images)} images is empty at "
                f"easy_ratio {split.ratio:g}; change the ratio, or leave that part out (a ratio of "
                "1 is self-training: method source_only on the pseudo-labels)"
            )
        return self.domain(split.domain, labelled=False).subset(names)

    def _translated(self, folder: Path, labelled: bool) -> Domain:
        images = ImageSet.load(folder)
        domain = self.domain(images.domain, labelled)
        samples = domain.subset(list(images.files)).samples
        moved = tuple(
            replace(s, image=Path(images.files[s.name]), original=s.image) for s in samples
        )
        # What a run makes is in the networks' size already, and of no use to other runs.
        return replace(domain, samples=moved, bands=None, cache=None)

    def _pseudo_labelled(self, folder: Path) -> Domain:
        labels = LabelSet.load(folder)
        domain = self.domain(labels.images, labelled=False).subset(labels.names)
        if domain.classes.boxes:
            return with_predicted_boxes(domain, folder / BOXES_FILE)
        ids = {i: i for i in range(len(domain.classes.names))} | {IGNORE: IGNORE}
        return replace(
            domain,
            samples=tuple(
                replace(
                    sample,
                    label=LabelSet.path(folder, sample.name),
                    domain_index=LabelSet.index_path(folder, sample.name)
                    if labels.indexed
                    else None,
                )
                for sample in domain.samples
            ),
            class_map=ClassMap(domain.classes, ids),
            labelled=True,
            predicted=True,
        )

    def stage_of(self, reference: str) -> Stage:
        """The stage whose output ``STAGE.OUTPUT`` is."""
        return self.recipe.stages[reference.partition(".")[0]]

    def kind_of(self, reference: str) -> str:
        """A domain's role, or the kind of an output."""
        if reference in self.recipe.domains:
            return self.recipe.domains[reference].role
        return self.stage_of(reference).outputs[reference.partition(".")[2]]

    def is_images(self, reference: str) -> bool:
        """Whether it is a domain, or an output that holds images."""
        return reference in self.recipe.domains or self.kind_of(reference) in OF_IMAGES

    def labels_behind(self, reference: str) -> str:
        """Whose labels images have: those that were translated keep them, all others their own."""
        while self.kind_of(reference) == "translation":
            stage = self.stage_of(reference)
            reference = getattr(stage, str(stage.derived_from))
        return reference

    def domain_behind(self, reference: str) -> str:
        """The domain that a reference to images is, or is made of, also before it is made."""
        while reference not in self.recipe.domains:
            stage = self.stage_of(reference)
            assert stage.derived_from is not None, f"{reference} shows images of no other"
            reference = getattr(stage, stage.derived_from)
        return reference

    def classes_behind(self, reference: str) -> ClassSet:
        """The class set of images, of a network, or of a class prior, also before they are made."""
        if reference not in self.recipe.domains:
            return self.stage_of(reference).classes(self)
        config = self.recipe.domains[reference]
        reader = dataset_reader(config.dataset)
        return find_class_map(config, reader, open_root(self.domain_root(reference))).classes

    def network_behind(self, reference: str) -> ModelConfig:
        """The network in a checkpoint, in snapshots or a selection, also before it is trained."""
        return self.stage_of(reference).network(self)

    def file(self, path: str) -> Path:
        """A file that a recipe names, relative to the data root.

        Raises:
            SegadaptError: no file can have the name.
        """
        try:
            found = self.data_root / Path(path).expanduser()
            found.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # too long; of a user unknown
            raise SegadaptError(
                f"{shortened(path)}: cannot be a file's or a folder's name ({first_line(error)})"
            ) from error
        return found

    def checkpoint(self, reference: str) -> Path:
        """The file behind ``STAGE.checkpoint``, or ``STAGE.teacher``."""
        stage, _, output = reference.partition(".")
        file = TEACHER_FILE if output == "teacher" else CHECKPOINT_FILE
        return self.stage_directory(stage) / file

    def selection(self, reference: str) -> Selection:
        """The snapshots behind ``STAGE.selection`` and which was chosen."""
        return Selection.load(self.stage_directory(reference.partition(".")[0]))

    def class_counts(self, reference: str) -> ClassCounts:
        """The counts behind ``STAGE.counts``."""
        return ClassCounts.load(self.stage_directory(reference.partition(".")[0]))

    def class_prior(self, reference: str) -> ClassPrior:
        """The class shares behind ``STAGE.shares``."""
        return ClassPrior.load(self.stage_directory(reference.partition(".")[0]))

    def predictor(
        self,
        references: str | Mapping[str, float],
        processes: Processes,
        views: Views | None = None,
    ) -> Predictor:
        """The model behind ``STAGE.checkpoint``, or several with weights, on the run's device."""
        weights = {references: 1.0} if isinstance(references, str) else references
        members = [(load_checkpoint(self.checkpoint(x)), w) for x, w in weights.items()]
        return Predictor(members, processes, views)


@dataclass(frozen=True)
class Work:
    """A stage at work: what its ``run`` gets."""

    name: str
    """What the recipe calls the stage."""
    context: StageContext
    processes: Processes
    logged: Callable[[], None] = lambda: None
    """To be called after each record of the stage's logs, on the first process."""

    @property
    def directory(self) -> Path:
        """Where its outputs go."""
        return self.context.stage_directory(self.name)

    @property
    def seed(self) -> int:
        """Of all that is random in it; depends on the run's seed and the stage's name."""
        return self.context.stage_seed(self.name)
