"""The ``convert`` stage: take a checkpoint from elsewhere into the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segadapt.config.stage import Stage

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

    outputs = {"checkpoint": "checkpoint"}  # noqa: RUF012

    def files(self) -> dict[str, str]:
        """The checkpoint."""
        return {"file": self.file}

    def classes(self, context: StageContext) -> ClassSet:
        """Those that the file says."""
        return self._taken(context)[1]

    def network(self, context: StageContext) -> ModelConfig:
        """That of the file."""
        return self._taken(context)[0]

    def check(self, context: StageContext, place: str) -> None:
        """The file must be there and be read."""
        self._taken(context)

    def disk(self, context: StageContext) -> int:
        """As much as the file has."""
        return context.file(self.file).stat().st_size

    def _taken(self, context: StageContext) -> tuple[ModelConfig, ClassSet]:
        from segadapt.stages.convert.taken import taken

        return taken(context.file(self.file), self.family)
