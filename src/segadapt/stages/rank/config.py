"""The ``rank`` stage: order a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Fraction, Workers


class RankStage(Stage):
    """Rank a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

    checkpoint: str
    """The model whose entropy counts."""
    images: str
    """A target domain."""
    easy_ratio: Fraction = 0.67
    """Share of the images that are easy: those of least entropy."""
    normalisation: Literal["none", "rare_classes", "released"] = "none"
    """By how many rare classes an image shows: not at all; by the paper (Sec. 4.2); or as the
    released program divides."""
    batch_size: BatchSize = 4
    """Images that are decoded and handed over together; the networks see one at a time."""
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 12
    """Pictures kept for the report."""

    outputs = {"easy": "images", "hard": "images"}  # noqa: RUF012
    derived_from = "images"
    without_effect = Stage.without_effect | {"gallery"}

    def references(self) -> list[Reference]:
        """The model, and the images that it ranks."""
        return [
            Reference("checkpoint", self.checkpoint, ("checkpoint",)),
            Reference("images", self.images, IMAGES),
        ]

    def missing(self, output: str) -> str | None:
        """A part may be empty."""
        if self.easy_ratio == {"easy": 0.0, "hard": 1.0}[output]:
            return (
                f"is empty at easy_ratio {self.easy_ratio:g}; change the ratio, or leave that part "
                "out (a ratio of 1 is self-training: method source_only on the pseudo-labels)"
            )
        return None
