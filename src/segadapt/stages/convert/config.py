"""The ``convert`` stage: take a checkpoint from elsewhere into the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Reference, Stage

if TYPE_CHECKING:
    from segadapt.base.classes import ClassSet
    from segadapt.config.model import ModelConfig
    from segadapt.stages.context import StageContext


class ConvertStage(Stage):
    """Take a published checkpoint, or one of another run, into this one."""

    file: str
    """Relative to the data root."""
    family: str | None = None
    """Whose layout a published file has, where its entries do not tell."""

    classes_from: str | None = None
    """A domain whose classes a published file predicts, which does not say what they are called."""

    outputs = {"checkpoint": "checkpoint"}  # noqa: RUF012

    def references(self) -> list[Reference]:
        """The domain that names the classes, whose images are not looked at."""
        if self.classes_from is None:
            return []
        roles = ("source", "target", "test")
        return [Reference("classes_from", self.classes_from, roles, shown=False)]

    def files(self) -> dict[str, str]:
        """The checkpoint."""
        return {"file": self.file}

    def classes(self, context: StageContext) -> ClassSet:
        """Those that the file says."""
        if self.classes_from is None:
            return self._taken(context)[1]
        return context.classes_behind(self.classes_from)

    def network(self, context: StageContext) -> ModelConfig:
        """That of the file."""
        return self._taken(context)[0]

    def check(self, context: StageContext, place: str) -> None:
        """The file must be there and be read, and have as many classes as are named."""
        predicted, named = len(self._taken(context)[1].names), len(self.classes(context).names)
        if predicted != named:
            raise SegadaptError(
                f"{place}.classes_from: domain {self.classes_from!r} has {named} classes, and "
                f"{self.file} predicts {predicted}"
            )

    def disk(self, context: StageContext) -> int:
        """As much as the file has."""
        return context.file(self.file).stat().st_size

    def _taken(self, context: StageContext) -> tuple[ModelConfig, ClassSet]:
        from segadapt.stages.convert.taken import taken

        return taken(context.file(self.file), self.family)
