"""Class-ratio prior (ADVENT, Vu et al., CVPR 2019, Sec. 3.3)."""

from __future__ import annotations

from torch import Tensor


def class_prior_loss(probability: Tensor, prior: Tensor, mu: float) -> Tensor:
    """How far the classes' expected shares in an image fall short of the prior (ADVENT, Eq. 10).

    Args:
        probability: class probabilities, (N, C, H, W).
        prior: share of each class among the labelled source pixels, (C,), summing to one.
        mu: in [0, 1]; 0 asks for nothing, 1 for the prior itself.

    Returns:
        Mean over the images of sum_c max(0, mu * prior_c - E_c), a scalar in [0, 1].
    """
    expected = probability.mean(dim=(2, 3))
    return (mu * prior - expected).clamp(min=0.0).sum(dim=1).mean()
