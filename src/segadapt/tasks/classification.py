"""Classification of whole images: a prediction is a map of one pixel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from segadapt.models.adversaries.discriminator import score_discriminator
from segadapt.tasks.segmentation import Level, SegmentationTask


@dataclass(frozen=True)
class ClassificationTask(SegmentationTask):
    """A segmentation of images that are one pixel; maps stay 1x1, whatever the image's size."""

    def levels(self, model: nn.Module, image: Tensor) -> list[Level]:
        """Run ``model`` on (N, 3, H, W) images: logits (N, C, 1, 1), at least float32."""
        return [Level("main", model(image).main.float())]

    def discriminators(self, level_names: Iterable[str], width: int) -> dict[str, nn.Module]:
        """Fully connected ones, as 1x1 convolutions of class scores."""
        return {
            f"discriminator_{name}": score_discriminator(self.num_classes, width)
            for name in level_names
        }
