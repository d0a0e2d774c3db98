"""The ``pseudo_label`` stage: the most probable classes as labels (IntraDA, Eq. 5)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Workers


class BoxSelection(Section):
    """Which of the boxes that a detector finds are labels; those half as sure are ignored."""

    portion: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Of each class's boxes whose score is at least ``least``, the surest are labels..."""
    least: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Score below which nothing is a label."""
    cap: Annotated[float, Field(gt=0, le=1)] = 0.5
    """...and all whose score is at least this."""


class PseudoLabelStage(Stage):
    """Label images with a checkpoint's most probable classes (IntraDA, Eq. 5), or its boxes."""

    checkpoint: str
    """The model that labels."""
    images: str
    """A target domain, or a part of one, such as ``rank.easy``."""
    boxes: BoxSelection | None = None
    """Where images have boxes; the settings above where not given."""
    batch_size: BatchSize = 4
    """Images that are decoded and handed over together; the networks see one at a time."""
    workers: Workers = 2

    outputs = {"labels": "labels"}  # noqa: RUF012
    derived_from = "images"

    def references(self) -> list[Reference]:
        """The model, and the images that it labels."""
        return [
            Reference("checkpoint", self.checkpoint, ("checkpoint",)),
            Reference("images", self.images, IMAGES),
        ]
