"""Entropy of predictions: the quantities of ADVENT (Vu et al., CVPR 2019), Sec. 3.1 and 3.2."""

from __future__ import annotations

import math

from torch import Tensor

EPSILON = 1e-30  # keeps log2(0) finite; the released ADVENT program uses the same constant


def weighted_self_information(probability: Tensor) -> Tensor:
    """Weighted self-information map I = -p * log2(p) / log2(C).

    ADVENT, Sec. 3.2, has it without the divisor; this is the released program's, and that of Eq. 2.

    Args:
        probability: class probabilities, (N, C, H, W), summing to one over C; C must be at least 2.

    Returns:
        (N, C, H, W); summed over C it is the normalised entropy in [0, 1] of Eq. 2.
    """
    num_classes = probability.shape[1]
    return -probability * (probability + EPSILON).log2() / math.log2(num_classes)


def entropy_map(probability: Tensor) -> Tensor:
    """Normalised pixel-wise entropy E in [0, 1] (ADVENT, Eq. 2): (N, C, H, W) -> (N, H, W)."""
    return weighted_self_information(probability).sum(dim=1)


def entropy_loss(probability: Tensor, share: float = 1.0) -> Tensor:
    """Mean normalised entropy over pixels of all images, a scalar in [0, 1].

    ADVENT, Eq. 3, with the mean in place of the sum over pixels, as in the released program: the
    weight of the loss then does not depend on the image size.

    Args:
        probability: class probabilities, (N, C, H, W).
        share: see :func:`mean_of_highest`.
    """
    return mean_of_highest(entropy_map(probability), share)


def mean_of_highest(entropy: Tensor, share: float) -> Tensor:
    """The mean over the pixels of (N, H, W) maps, a scalar; or over those of highest entropy.

    Args:
        entropy: (N, H, W).
        share: in (0, 1]; only that share of each image's pixels, those of highest entropy, is
            summed (at least one pixel; MinEnt+ER of ADVENT, Sec. 4.2 and 4.3, with 0.3). The sum
            is still divided by the number of all pixels, so that a pixel weighs what it did.
    """
    if share == 1.0:
        return entropy.mean()
    pixels = entropy.flatten(start_dim=1)
    number = max(1, round(share * pixels.shape[1]))
    return pixels.topk(number, dim=1, sorted=False).values.sum() / pixels.numel()
