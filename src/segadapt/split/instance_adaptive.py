"""Instance-adaptive selection of pseudo-labels (IAST; Mei et al., ECCV 2020, Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segadapt.losses.segmentation import IGNORE
from segadapt.split.confidence_histogram import ConfidenceHistogram


def updated_thresholds(
    thresholds: Sequence[float],
    image: ConfidenceHistogram,
    alpha: float = 0.2,
    beta: float = 0.9,
    gamma: float = 8.0,
) -> list[float]:
    """One image's thresholds: a moving average of each class's own (IAST, Eq. 2 and 3).

    The image alone asks for the confidence that the share ``alpha * t ** gamma`` of the pixels of
    the class exceeds, t being the threshold before; ``beta`` is the weight of the history.

    Args:
        thresholds: of every class after the image before; 0.9 each before the first, as in the
            released program of IAST.
        image: confidences of the image's pixels by predicted class.
        alpha: largest share of a class that is kept.
        beta: momentum.
        gamma: how much less of a class is kept where its threshold is low.

    Returns:
        Thresholds of every class; those of classes that the image has not are as they were.
    """
    found = []
    for k, before in enumerate(thresholds):
        share = alpha * before**gamma
        single = ConfidenceHistogram(1, image.counts.shape[1])
        single.counts = image.counts[k : k + 1]
        (own,) = single.quantile(1.0 - share)
        found.append(before if own is None else beta * before + (1 - beta) * own)
    return found


def confident_label(confidence: Tensor, predicted: Tensor, thresholds: Sequence[float]) -> Tensor:
    """The most probable class where its probability reaches the class's threshold; else 255.

    Args:
        confidence: largest probabilities, (N, H, W).
        predicted: the classes that have them, (N, H, W) integers.
        thresholds: one for every class.

    Returns:
        (N, H, W) uint8.
    """
    bound = confidence.new_tensor(list(thresholds))[predicted]
    return predicted.where(confidence >= bound, IGNORE).to(torch.uint8)
