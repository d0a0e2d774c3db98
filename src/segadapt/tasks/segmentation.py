"""Semantic segmentation: a prediction is one or two maps of class scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.base.windows import Window
from segadapt.config.values import InputFormat
from segadapt.losses.segmentation import IGNORE, cross_entropy
from segadapt.models.adversaries.discriminator import level_discriminators
from segadapt.models.boxes import BoxOutput
from segadapt.models.heads.base import LevelLogits


class Level(NamedTuple):
    """One prediction level: ``main`` or ``aux``, and logits (N, C, H, W) at image size."""

    name: str
    logit: Tensor
    summands: tuple[Tensor, Tensor] | None = None
    """Logits of the two classifiers whose sum ``logit`` is, where the model has such."""
    window: Window | None = None
    """The part of the image that it is of, with ``logit`` as large; None: all of it."""
    boxes: BoxOutput | None = None
    """Of detectors: what ``logit`` was made of, anchors in pixels."""

    def part_of(self, maps: Tensor) -> Tensor:
        """What this level sees of maps (..., H, W) of the image's size."""
        return maps if self.window is None else self.window.of(maps)

    @property
    def probability(self) -> Tensor:
        """Class probabilities (N, C, H, W)."""
        return self.logit.softmax(dim=1)


@dataclass(frozen=True)
class SegmentationTask:
    """Turns a segmenter's output into maps and losses.

    Attributes:
        num_classes: number of classes C.
        process_mean: mean of a tensor over all processes; None where there is one process.
        class_prior: share of each class among the labelled source pixels, where it was counted.
        iterations: of the whole training, for what changes over it.
        class_names: of all classes.
        input_format: what normalised images are made of.
        seed: of all that a method draws.
        rank: number of this process.
        processes: how many there are.
    """

    num_classes: int
    process_mean: Callable[[Tensor], Tensor] | None = None
    class_prior: tuple[float, ...] | None = None
    iterations: int = 1
    class_names: tuple[str, ...] = ()
    input_format: InputFormat = "rgb_mean_std"
    seed: int = 0
    rank: int = 0
    processes: int = 1

    def levels(self, model: nn.Module, image: Tensor) -> list[Level]:
        """Run ``model`` on (N, 3, H, W) images; main level first, then aux where there is one.

        Logits are brought to image size (bilinear, corners aligned) before any loss, as in the
        released programs, and are at least float32 whatever the precision of the network.
        """
        return self.levels_of(model(image), image.shape[-2:])

    def levels_of(self, output: LevelLogits, size: tuple[int, int] | torch.Size) -> list[Level]:
        """The levels of a model's output for images of (height, width) ``size``."""
        summands = None
        if output.summands is not None:
            first, second = output.summands
            summands = upsample(first, size), upsample(second, size)
        levels = [Level("main", upsample(output.main, size), summands)]
        if output.aux is not None:
            window = output.aux_window
            seen = size if window is None else (window.height, window.width)
            levels.append(Level("aux", upsample(output.aux, seen), window=window))
        return levels

    def process_sum(self, count: Tensor) -> Tensor:
        """Sum of whole numbers over the processes."""
        if self.process_mean is None:
            return count
        mean = self.process_mean(count.double())
        return (mean * self.processes).round().to(count.dtype)

    def discriminators(self, level_names: Iterable[str], width: int) -> dict[str, nn.Module]:
        """Discriminators of class maps: ``discriminator_main`` and, of two levels, ``_aux``."""
        return level_discriminators(level_names, self.num_classes, width)

    def supervised_loss(self, level: Level, label: Tensor) -> Tensor:
        """Cross-entropy of one level against labels (N, H, W); see :func:`cross_entropy`."""
        return cross_entropy(level.logit, level.part_of(label), self.process_mean)

    def pseudo_label(self, level: Level, threshold: float) -> Tensor:
        """Most probable classes (N, H, W), 255 where the probability is below ``threshold``."""
        confidence, label = level.probability.max(dim=1)
        return label.masked_fill(confidence < threshold, IGNORE).to(torch.uint8)

    def share_known(self, label: Tensor) -> Tensor:
        """Share of labels that are not to be ignored, a scalar."""
        return (label != IGNORE).float().mean()


def upsample(logit: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """(N, C, h, w) -> (N, C, height, width), bilinear with aligned corners, float32 or float64."""
    if logit.dtype not in (torch.float32, torch.float64):
        logit = logit.float()
    # Class by class in memory: losses take them so, and would make copies at image size.
    logit = logit.contiguous()
    return F.interpolate(logit, size=tuple(size), mode="bilinear", align_corners=True)
