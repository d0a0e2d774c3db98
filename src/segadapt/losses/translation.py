"""Losses of image translation (CIRN, Eq. 1 to 3; Zhu et al., ICCV 2017)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from segadapt.losses.adversarial import goal_loss

TranslationGan = Literal["least_squares", "log"]


def realness_loss(logit: Tensor, real: bool, gan: TranslationGan) -> Tensor:
    """How far a discriminator is from calling every patch real (or made).

    Args:
        logit: raw outputs, any shape.
        real: the answer that is asked for. A generator asks for True on what it made.
        gan: ``log`` is CIRN's Eq. 1 and 2, for the generator in the form -log D(G(x)) that does not
            saturate; ``least_squares`` is what CycleGAN puts in its place (Zhu et al., Sec. 4).

    Returns:
        A scalar, the mean over all patches.
    """
    return goal_loss(logit, float(real), least_squares=gan == "least_squares")


def cycle_loss(cycled: Tensor, image: Tensor) -> Tensor:
    """Mean absolute difference of images that went there and back, [-1, 1] each (CIRN, Eq. 3)."""
    return F.l1_loss(cycled, image)
