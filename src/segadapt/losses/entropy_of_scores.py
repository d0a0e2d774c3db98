"""Entropy straight from class scores, which are read once and of which one map is kept.

The same quantities as in :mod:`segadapt.losses.entropy`. By way of probabilities five maps of all
classes are kept for the backward pass (the probabilities, their logarithm, and products).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def self_information(logit: Tensor) -> Tensor:
    """Weighted self-information I = -p log2(p) / log2(C) of p = softmax(logit) (ADVENT, Sec. 3.2).

    Args:
        logit: (N, C, H, W) class scores, C at least 2.

    Returns:
        (N, C, H, W); summed over C it is in [0, 1].
    """
    return _SelfInformation.apply(logit)  # type: ignore[no-untyped-call, no-any-return]


def entropy_of_scores(logit: Tensor) -> Tensor:
    """Normalised entropy in [0, 1] of softmax(logit) (ADVENT, Eq. 2): (N, C, H, W) -> (N, H, W)."""
    return _Entropy.apply(logit)  # type: ignore[no-untyped-call, no-any-return]


class _SelfInformation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logit: Tensor) -> Tensor:
        logarithm = logit.log_softmax(dim=1)
        ctx.save_for_backward(logarithm)
        return logarithm.exp().mul_(logarithm).mul_(_scale(logit))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        """With l = log p and dl_j / dz_k = [j = k] - p_k: the gradient of sum_j g_j p_j l_j."""
        logarithm: Tensor = ctx.saved_tensors[0]
        probability = logarithm.exp()
        inner = (logarithm + 1).mul_(gradient).mul_(probability)
        return inner.sub_(probability.mul_(inner.sum(dim=1, keepdim=True))).mul_(_scale(logarithm))


class _Entropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logit: Tensor) -> Tensor:
        logarithm = logit.log_softmax(dim=1)
        total = logarithm.exp().mul_(logarithm).sum(dim=1)
        ctx.save_for_backward(logarithm, total)
        return total * _scale(logit)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        """The gradient of sum_j p_j l_j is p_k (l_k - sum_j p_j l_j)."""
        logarithm: Tensor = ctx.saved_tensors[0]
        total: Tensor = ctx.saved_tensors[1]
        inner = (logarithm - total[:, None]).mul_(logarithm.exp())
        return inner.mul_((gradient * _scale(logarithm))[:, None])


def _scale(logit: Tensor) -> float:
    """Natural logarithms to the base C, with the sign of an entropy."""
    return -1 / math.log(logit.shape[1])
