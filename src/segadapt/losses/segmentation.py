"""Supervised segmentation loss."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

IGNORE = 255
"""Label of pixels that count neither in losses nor in scores."""


def cross_entropy(
    logit: Tensor, label: Tensor, process_mean: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Mean cross-entropy over the labelled pixels (ADVENT, Eq. 1; mean form).

    Args:
        logit: (N, C, H, W) class scores.
        label: (N, H, W) integer class ids; 255 is ignored.
        process_mean: mean of a tensor over all processes. With several processes each one's sum is
            divided by the *average* number of labelled pixels, so that averaging the gradients
            gives exactly what one process with the whole batch computes.

    Returns:
        A scalar; zero (with zero gradient) where no pixel is labelled.
    """
    total = F.cross_entropy(logit, label.long(), ignore_index=IGNORE, reduction="sum")
    count = (label != IGNORE).sum().to(total.dtype)
    if process_mean is not None:
        count = process_mean(count)
    return total / count.clamp(min=1e-12)
