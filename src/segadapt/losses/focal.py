"""The focal loss (Lin et al., ICCV 2017, Eq. 4), as CLAN's program trains with it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from segadapt.losses.segmentation import IGNORE

LEAST = 1e-9
"""Probabilities are kept this far from 0 and 1, as in the released program."""


def focal_loss(
    logit: Tensor,
    label: Tensor,
    gamma: float,
    process_mean: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Mean over the labelled pixels of -(1 - p) ** gamma * log p of the true class.

    Args:
        logit: (N, C, H, W) class scores.
        label: (N, H, W) class ids; 255 is ignored.
        gamma: 0 gives the cross-entropy.
        process_mean: see :func:`segadapt.losses.segmentation.cross_entropy`.

    Returns:
        A scalar; zero where no pixel is labelled.
    """
    labelled = label != IGNORE
    index = label.long().where(labelled, 0).unsqueeze(1)
    true = logit.softmax(dim=1).gather(1, index)[:, 0].clamp(LEAST, 1 - LEAST)
    each = -((1 - true) ** gamma) * true.log()
    count = labelled.sum().to(each.dtype)
    if process_mean is not None:
        count = process_mean(count)
    total: Tensor = (each * labelled).sum() / count.clamp(min=1e-12)
    return total
