"""Regularisation against overconfidence in pseudo-labels (CRST, Zou et al., ICCV 2019)."""

from __future__ import annotations

from torch import Tensor

from segadapt.losses.pixel_adversarial import ProcessMean, masked_mean
from segadapt.losses.segmentation import IGNORE


def kld_regularisation(logit: Tensor, label: Tensor, process_mean: ProcessMean = None) -> Tensor:
    """MRKLD: -1/C sum_k log p_k, the mean over the labelled pixels (CRST, Table 1).

    The divergence from the uniform distribution up to the constant log C: log C for a uniform
    prediction, larger for a confident one.

    Args:
        logit: (N, C, H, W) class scores.
        label: (N, H, W); pixels of 255 do not count.
        process_mean: mean of a tensor over all processes.
    """
    spread = -logit.log_softmax(dim=1).mean(dim=1)
    return masked_mean(spread, label != IGNORE, process_mean)
