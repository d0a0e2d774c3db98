"""The ``pseudo_label`` stage: the most probable classes as labels (IntraDA, Eq. 5)."""

from __future__ import annotations

from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Workers


class PseudoLabelStage(Stage):
    """Label images with a checkpoint's most probable classes (IntraDA, Eq. 5)."""

    checkpoint: str
    images: str
    batch_size: BatchSize = 4
    workers: Workers = 2

    outputs = {"labels": "labels"}  # noqa: RUF012
    derived_from = "images"

    def references(self) -> list[Reference]:
        """The model, and the images that it labels."""
        return [
            Reference("checkpoint", self.checkpoint, ("checkpoint",)),
            Reference("images", self.images, IMAGES),
        ]
