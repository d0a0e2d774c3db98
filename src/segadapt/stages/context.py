"""What a stage gets: the recipe, the run's folder, and references turned into data."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from segadapt.artefacts import (
    CHECKPOINT_FILE,
    SCENES_FOLDER,
    ClassPrior,
    ImageSet,
    LabelSet,
    Selection,
    Split,
)
from segadapt.config import Recipe, TranslateStage, Views
from segadapt.data.domain import ClassMap, Domain
from segadapt.data.listing import dataset_reader, open_domain
from segadapt.engine.fabric import Processes
from segadapt.engine.predict import Predictor
from segadapt.errors import SegadaptError
from segadapt.losses.segmentation import IGNORE
from segadapt.models.checkpoints import load_checkpoint


@dataclass(frozen=True)
class StageContext:
    """The run that a stage belongs to."""

    recipe: Recipe
    directory: Path
    data_root: Path
    seed: int

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
            config = self.recipe.domains[reference]
            title = f"domain {reference!r}"
            root, image_list = self.domain_root(reference), self.image_list(reference)
            return open_domain(config, root, labelled, title, image_list)
        stage_name, _, output = reference.partition(".")
        folder = self.stage_directory(stage_name)
        if output == "labels":
            return self._pseudo_labelled(folder)
        if isinstance(self.recipe.stages[stage_name], TranslateStage):
            return self._translated(folder, labelled)
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
        return replace(domain, samples=moved)

    def _pseudo_labelled(self, folder: Path) -> Domain:
        labels = LabelSet.load(folder)
        domain = self.domain(labels.images, labelled=False).subset(labels.names)
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
        )

    def file(self, path: str) -> Path:
        """A file that a recipe names, relative to the data root."""
        return self.data_root / Path(path).expanduser()

    def checkpoint(self, reference: str) -> Path:
        """The file behind ``STAGE.checkpoint``."""
        return self.stage_directory(reference.partition(".")[0]) / CHECKPOINT_FILE

    def selection(self, reference: str) -> Selection:
        """The snapshots behind ``STAGE.selection`` and which was chosen."""
        return Selection.load(self.stage_directory(reference.partition(".")[0]))

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
