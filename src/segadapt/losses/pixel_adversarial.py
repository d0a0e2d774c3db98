"""Adversarial losses between easy and hard pixels (PixIntraDA, Yan et al., ACM MM 2021, Sec. 4.2).

The discriminator's output, brought to image size, says of each pixel how hard it is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

ProcessMean = Callable[[Tensor], Tensor] | None


def masked_mean(value: Tensor, mask: Tensor, process_mean: ProcessMean = None) -> Tensor:
    """Mean of ``value`` where ``mask`` holds (same shapes); zero where it holds nowhere.

    With several processes each one's sum is divided by the *average* number of masked pixels, as
    in :func:`segadapt.losses.segmentation.cross_entropy`.
    """
    total = (value * mask).sum()
    count = mask.sum().to(total.dtype)
    if process_mean is not None:
        count = process_mean(count)
    return total / count.clamp(min=1e-12)


def pixel_discriminator_loss(
    logit: Tensor, hard: Tensor, process_mean: ProcessMean = None
) -> Tensor:
    """Eq. 6, first line: D is to be 1 at hard and 0 at easy pixels.

    The paper writes the sums over pixels inside the logarithms, -log(sum D o M). Read so, one sure
    pixel satisfies the loss for the whole image, so we take the mean of the logarithms: binary
    cross-entropy per pixel, the mean over hard pixels plus the mean over easy ones.

    Args:
        logit: raw output of the discriminator at image size, (N, H, W).
        hard: M as booleans, (N, H, W).
        process_mean: mean of a tensor over all processes.
    """
    return masked_mean(F.softplus(-logit), hard, process_mean) + masked_mean(
        F.softplus(logit), ~hard, process_mean
    )


def pixel_fooling_loss(logit: Tensor, hard: Tensor, process_mean: ProcessMean = None) -> Tensor:
    """Eq. 6, second line: hard pixels are to be taken for easy ones; mean over them.

    Arguments as of :func:`pixel_discriminator_loss`.
    """
    return masked_mean(F.softplus(logit), hard, process_mean)


def indexed_discriminator_loss(
    logit: Tensor, index: Tensor, process_mean: ProcessMean = None
) -> Tensor:
    """Eq. 8, first line: D regresses to the continuous index Z.

    The mean over the pixels in place of the squared Frobenius norm, their sum, so that the weight
    beta means the same at every image size.

    Args:
        logit: raw output of the discriminator at image size, (N, H, W).
        index: Z in [0, 1], (N, H, W).
        process_mean: mean of a tensor over all processes.
    """
    error = (logit.sigmoid() - index).square()
    return masked_mean(error, torch.ones_like(error), process_mean)


def indexed_fooling_loss(logit: Tensor, hard: Tensor, process_mean: ProcessMean = None) -> Tensor:
    """Eq. 8, second line: D is to be 0 at hard pixels; mean over all pixels of (D o M)^2.

    Arguments as of :func:`pixel_discriminator_loss`.
    """
    error = (logit.sigmoid() * hard).square()
    return masked_mean(error, torch.ones_like(error), process_mean)
