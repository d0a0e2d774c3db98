"""The ``pixel_split`` stage: easy pixels get labels, hard ones an index (PixIntraDA, Sec. 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Workers, with_rule
from segadapt.config.views import Views
from segadapt.stages.pixel_split.rules import (
    BalancedSelection,
    InstanceSelection,
    MedianSelection,
)

if TYPE_CHECKING:
    from segadapt.stages.context import StageContext


class PixelSplitStage(Stage):
    """Split a target's pixels into easy ones, with pseudo-labels, and hard ones (PixIntraDA)."""

    checkpoint: str
    """The model that labels."""
    images: str
    """A target domain, or a part of one."""
    selection: Annotated[
        MedianSelection | BalancedSelection | InstanceSelection, Field(discriminator="rule")
    ] = MedianSelection()
    """Which pixels are easy."""
    views: Views = Views()
    batch_size: BatchSize = 4
    """Images that are decoded and handed over together; the networks see one at a time."""
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 6
    """Pictures kept for the report."""

    outputs = {"labels": "indexed_labels"}  # noqa: RUF012
    derived_from = "images"
    without_effect = Stage.without_effect | {"gallery"}

    @field_validator("selection", mode="before")
    @classmethod
    def _own_rule_where_none_is_named(cls, value: Any) -> Any:
        return with_rule(value, "class_median")

    def references(self) -> list[Reference]:
        """The model, and the images whose pixels it splits."""
        return [
            Reference("checkpoint", self.checkpoint, ("checkpoint",)),
            Reference("images", self.images, IMAGES),
        ]

    def check(self, context: StageContext, place: str) -> None:
        """There must be pixels."""
        from segadapt.stages.whole_images import require_pixels

        require_pixels(self, context, place)
