"""Cross-entropy of pixels that count for more or less."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segadapt.losses.segmentation import IGNORE


def weighted_cross_entropy(logit: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Mean over *all* pixels of weight * cross-entropy (DAFormer, Eq. 3 and 7; DACS's program).

    Unlike :func:`segadapt.losses.segmentation.cross_entropy` it divides by pixels without a label
    too: a batch of which the teacher is sure of little counts for little. Processes have equally
    many pixels, so the mean of theirs is that of one process.

    Args:
        logit: (N, C, H, W) class scores.
        label: (N, H, W) class ids; 255 is ignored.
        weight: (N, H, W) in [0, 1].

    Returns:
        A scalar.
    """
    each = F.cross_entropy(logit, label.long(), ignore_index=IGNORE, reduction="none")
    return (weight * each).mean()
