"""PixIntraDA's split of pixels into easy and hard (Yan et al., ACM MM 2021, Sec. 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segadapt.losses.segmentation import IGNORE
from segadapt.split.confidence_histogram import ConfidenceHistogram

CAP = 0.9
"""Largest class threshold (Sec. 4.1)."""


def class_thresholds(histogram: ConfidenceHistogram, cap: float = CAP) -> list[float]:
    """t_k: the median confidence of the pixels predicted as class k, at most ``cap`` (Sec. 4.1).

    A class that is predicted nowhere has no median and gets the cap.
    """
    return [cap if median is None else min(median, cap) for median in histogram.quantile(0.5)]


def balanced_thresholds(histogram: ConfidenceHistogram, portion: float) -> list[float]:
    """CBST: the thresholds that the most confident ``portion`` of each class's pixels pass.

    Zou et al., ECCV 2018, Algorithm 2. A class that is predicted nowhere gets 1.
    """
    return [1.0 if x is None else x for x in histogram.quantile(1.0 - portion)]


def easiness(probability: Tensor, thresholds: Sequence[float]) -> Tensor:
    """max_k y_k / t_k: a pixel is easy exactly where this exceeds alpha (Eq. 2).

    Args:
        probability: (N, C, H, W).
        thresholds: t_k > 0 of every class.

    Returns:
        (N, H, W), larger than zero.
    """
    t = probability.new_tensor(list(thresholds))[:, None, None]
    return (probability / t).amax(dim=1)


def partial_label(probability: Tensor, thresholds: Sequence[float], alpha: float) -> Tensor:
    """Eq. 2 and 3: where some y_k > alpha * t_k, the most probable of these classes; else 255.

    Args:
        probability: (N, C, H, W).
        thresholds: t_k of every class.
        alpha: scale of the thresholds.

    Returns:
        (N, H, W) uint8. The class may be another than the most probable one of all: one whose own
        threshold is low. Hard pixels (M = 1) are those of label 255.
    """
    bound = alpha * probability.new_tensor(list(thresholds))[:, None, None]
    exceeding = probability.where(probability > bound, probability.new_tensor(-1.0))
    value, label = exceeding.max(dim=1)
    return label.where(value >= 0, IGNORE).to(torch.uint8)


def balanced_label(probability: Tensor, thresholds: Sequence[float]) -> Tensor:
    """CBST's labels: the class of the largest y_k / t_k where that exceeds one; else 255.

    Zou et al., ECCV 2018, Eq. 6. Shapes as in :func:`partial_label`.
    """
    t = probability.new_tensor(list(thresholds))[:, None, None]
    value, label = (probability / t).max(dim=1)
    return label.where(value > 1, IGNORE).to(torch.uint8)


def domain_index(confidence: Tensor, label: Tensor) -> Tensor:
    """Z: zero at easy pixels, one less the largest probability at hard ones (Eq. 7).

    Args:
        confidence: largest probabilities, (N, H, W) in [0, 1].
        label: (N, H, W), 255 at hard pixels.

    Returns:
        (N, H, W) in [0, 1].
    """
    uncertainty = 1 - confidence
    return uncertainty.where(label == IGNORE, uncertainty.new_tensor(0.0))


class EasinessHistogram:
    """Distribution of the easiness of pixels, from which alpha follows for a wanted share.

    Easiness e has no upper bound, so e / (1 + e) is counted; at e = 1 a bin is 0.000004 wide. Most
    pixels of a confident model lie close together, just below 1 / cap.
    """

    BINS = 1_000_000

    def __init__(self) -> None:
        self.histogram = ConfidenceHistogram(1, self.BINS)

    def add(self, easy: Tensor) -> None:
        """Count values of :func:`easiness`."""
        easy = easy.double()
        self.histogram.add(easy / (1 + easy), torch.zeros_like(easy, dtype=torch.long))

    def alpha(self, proportion: float) -> float:
        """The alpha at which the share of easy pixels (Eq. 4) comes closest to ``proportion``."""
        counts = self.histogram.counts[0]
        bins = len(counts)
        above = counts.flip(0).cumsum(0).flip(0).double() / max(int(counts.sum()), 1)
        edge = int((above - proportion).abs().argmin())
        share = edge / bins
        return share / (1 - share)
