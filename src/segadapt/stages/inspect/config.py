"""The ``inspect`` stage: unlabelled images through several checkpoints, side by side."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.config.stage import IMAGES, LABELLED, Reference, Stage
from segadapt.config.values import BatchSize, Workers


class InspectStage(Stage):
    """Set what checkpoints predict in unlabelled images side by side, for the report."""

    checkpoints: list[str] = Field(min_length=1)
    """The first is what the others are compared with; the last is what the pictures are of."""
    images: str
    """Images without labels, or whose labels stay closed."""
    source: str | None = None
    """Labelled source images whose classes are counted, to be set beside the predicted ones."""
    batch_size: BatchSize = 4
    """Images read at a time; each is looked at by itself."""
    workers: Workers = 2
    pictures: Annotated[int, Field(ge=0)] = 6
    """Images shown that the first and the last checkpoint differ most in; half as many of those
    that the last is surest of, and least sure of."""

    without_effect = Stage.without_effect | {"pictures"}

    def references(self) -> list[Reference]:
        """The models, the images, and the source."""
        found = [
            Reference(f"checkpoints.{i}", name, ("checkpoint",))
            for i, name in enumerate(self.checkpoints)
        ]
        found.append(Reference("images", self.images, IMAGES))
        if self.source is not None:
            found.append(
                Reference(
                    "source", self.source, LABELLED, labelled=True, learned=False, shown=False
                )
            )
        return found
