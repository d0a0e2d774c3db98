"""Domain losses of a discriminator (ADVENT, Eq. 7 and 8; AdaptSegNet, Eq. 2 and 4)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from segadapt.config.values import Gan

DomainLabel = Literal["source", "target"]

# The papers call the source 1 and the target 0; the released programs, and the numbers recorded
# from them, use the opposite. The objective is the same, so we keep the released convention.
DOMAIN_LABEL: dict[DomainLabel, float] = {"source": 0.0, "target": 1.0}


def domain_loss(logit: Tensor, domain: DomainLabel, gan: Gan = "vanilla") -> Tensor:
    """How far the discriminator's output is from calling every location ``domain``.

    Args:
        logit: raw discriminator output, any shape.
        domain: the answer that is asked for.
        gan: ``vanilla`` is binary cross-entropy on logits, ``least_squares`` the squared distance
            of the raw output (Mao et al., ICCV 2017; the LS-GAN variant of AdaptSegNet).

    Returns:
        A scalar, the mean over all locations.
    """
    return goal_loss(logit, DOMAIN_LABEL[domain], least_squares=gan == "least_squares")


def goal_loss(logit: Tensor, answer: float, least_squares: bool) -> Tensor:
    """How far raw outputs, any shape, are from ``answer``, 0 or 1: a scalar, the mean over all.

    By binary cross-entropy on logits, or by the squared distance of the raw output.
    """
    goal = logit.new_full(logit.shape, answer)
    if least_squares:
        return F.mse_loss(logit, goal)
    return F.binary_cross_entropy_with_logits(logit, goal)
