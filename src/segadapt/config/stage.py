"""The contract of a stage: its settings, and what it refers to, leaves, needs and does.

A stage is a section of the recipe that knows the rest of itself. Reading a recipe imports this and
the stages' ``config.py`` alone, and no torch; what checks and runs is imported when it is called.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from segadapt.artefacts import Kind
from segadapt.base.errors import SegadaptError
from segadapt.base.parts import Room
from segadapt.base.section import Section

if TYPE_CHECKING:
    from segadapt.base.classes import ClassSet
    from segadapt.config.model import ModelConfig
    from segadapt.stages.context import StageContext, Work

STAGES = Room("stage", "segadapt.stages", "segadapt.config.stage.Stage", folders=True)

IMAGES = ("target", "images")
"""What unlabelled images may be: a target domain, or a part of one."""
LABELLED = ("source", "labels", "indexed_labels", "translation")
"""What labelled images may be: a source domain, pseudo-labels, translated images."""


class Reference(NamedTuple):
    """A setting that names a domain, or an output of an earlier stage (``STAGE.OUTPUT``)."""

    key: str
    """The setting, as in ``source`` or ``checkpoints.0``."""
    name: str
    kinds: tuple[str, ...]
    """Roles of domains and kinds of artefacts that will do."""
    labelled: bool = False
    """The labels of these images are opened."""
    learned: bool = True
    """What is opened takes part in what the stage leaves."""
    same_classes: bool = True
    """Its classes must be those of the stage's other references."""
    shown: bool = True
    """These images are shown to the stage's networks as they come."""


class Stage(Section):
    """A step of a recipe. Subclasses add their settings as fields, and override what is not so."""

    stage: str
    """Its kind: a folder of ``segadapt.stages``, or ``package.module:Class``."""

    outputs: ClassVar[Mapping[str, Kind]] = {}
    """Kinds of the artefacts that it leaves, by the names that recipes refer to them with."""
    derived_from: ClassVar[str | None] = None
    """The setting whose images, classes or network its outputs have."""
    without_effect: ClassVar[frozenset[str]] = frozenset(
        {"workers", "save_every", "log_every", "shard"}
    )
    """Settings that change how it runs but not what it computes."""

    def complete(self) -> dict[str, Any]:
        """All settings in their YAML form, with the defaults of the parts that it names."""
        return self.model_dump(mode="json")

    def references(self) -> Sequence[Reference]:
        """All that it refers to."""
        return ()

    def missing(self, output: str) -> str | None:
        """Why one of ``outputs`` is not there with these settings, said after its name."""
        return None

    def files(self) -> Mapping[str, str]:
        """Files and folders of images that it reads, relative to the data root, by a title."""
        return {}

    def seed_of(self, seed: int) -> int:
        """The seed that its result depends on, where the run's is ``seed``."""
        return seed

    def classes(self, context: StageContext) -> ClassSet:
        """The classes of its outputs."""
        return context.classes_behind(self._origin())

    def network(self, context: StageContext) -> ModelConfig:
        """The network in its checkpoint."""
        return context.network_behind(self._origin())

    def networks(self, context: StageContext) -> list[ModelConfig]:
        """All networks that look at its images: those of the checkpoints that it refers to."""
        return [
            context.network_behind(reference.name)
            for reference in self.references()
            if {"checkpoint", "snapshots", "selection"} & set(reference.kinds)
        ]

    def check(self, context: StageContext, place: str) -> None:
        """Find what is wrong before any work; that references exist and fit is known already.

        Stages in folders have it as ``check(stage, context, place)`` in ``check.py``.

        Args:
            context: the run.
            place: what messages begin with: ``stages.NAME``.

        Raises:
            SegadaptError: something is wrong.
        """
        check = self._beside("check", "check")
        if check is not None:
            check(self, context, place)

    def disk(self, context: StageContext) -> int:
        """Bytes that it is about to write, as far as that is known; small files do not count.

        Stages in folders have it as ``written_bytes(stage, context)`` in ``check.py``.
        """
        written_bytes = self._beside("check", "written_bytes")
        return 0 if written_bytes is None else int(written_bytes(self, context))

    def seconds(self, context: StageContext) -> float:
        """Roughly what it takes on a CPU, where iterations are what takes its time; else 0.

        Stages in folders have it as ``seconds(stage, context)`` in ``check.py``.
        """
        seconds = self._beside("check", "seconds")
        return 0.0 if seconds is None else float(seconds(self, context))

    def run(self, work: Work) -> dict[str, Any]:
        """Do the work, and leave the outputs in ``work.directory``.

        Stages in folders have it as ``run(stage, work)`` in ``run.py``.

        It may be killed at any moment and is then called again: what is in the folder is what it
        wrote before. With several processes each of them calls it.

        Returns:
            Numbers for the manifest and the report.
        """
        run = self._beside("run", "run")
        assert run is not None, "see runs"
        summary: dict[str, Any] = run(self, work)
        return summary

    def runs(self) -> bool:
        """Whether it says how it runs; a user's own may have forgotten to."""
        return type(self).run is not Stage.run or self._beside("run", "run") is not None

    def _beside(self, file: str, function: str) -> Callable[..., Any] | None:
        """A function of a file in the stage's folder, imported no earlier than it is needed."""
        modules = (kind.__module__ for kind in type(self).__mro__)
        ours = [module for module in modules if module.startswith(f"{STAGES.package}.")]
        if not ours:
            return None  # a user's own, which overrides these methods
        package = ours[0].removesuffix(".config")
        if importlib.util.find_spec(f"{package}.{file}") is None:
            return None  # there is nothing to check
        found: Callable[..., Any] | None = getattr(
            importlib.import_module(f"{package}.{file}"), function, None
        )
        return found

    def _origin(self) -> str:
        if self.derived_from is None:
            raise SegadaptError(
                f"stage {self.stage}: does not say derived_from, the setting whose images, classes "
                "or network its outputs have"
            )
        return str(getattr(self, self.derived_from))
