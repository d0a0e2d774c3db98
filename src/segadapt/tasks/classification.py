"""Classification of whole images: a prediction is a map of one pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from segadapt.base.classes import ClassSet
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


def task_of(
    classes: ClassSet,
    process_mean: Callable[[Tensor], Tensor] | None = None,
    class_prior: tuple[float, ...] | None = None,
    **further: Any,
) -> SegmentationTask:
    """The task that labels of a class set are for; ``further``: its other attributes."""
    kind = ClassificationTask if classes.whole_image else SegmentationTask
    return kind(
        len(classes.names), process_mean, class_prior, class_names=tuple(classes.names), **further
    )
