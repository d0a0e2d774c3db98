"""The ``draw`` stage: the embedded procedural scenes as image and label files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from segadapt.config.stage import Stage
from segadapt.config.values import Size
from segadapt.stages.draw.splits import Split

if TYPE_CHECKING:
    from segadapt.stages.context import StageContext

Scenes = Annotated[int, Field(gt=0, le=1_000_000)]


class DrawStage(Stage):
    """Draw the embedded procedural domains."""

    size: Size = (224, 320)
    """(height, width) of the pictures."""
    counts: dict[Split, Scenes]
    """How many scenes of each split."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Its own: other seeds of a run see the same scenes."""

    outputs = {"folder": "folder"}  # noqa: RUF012

    def seed_of(self, seed: int) -> int:
        """Its own: the scenes are a data set, and do not change with the run's."""
        return self.seed

    def disk(self, context: StageContext) -> int:
        """Pictures, as if nothing could be packed."""
        return sum(self.counts.values()) * self.size[0] * self.size[1] * 3
