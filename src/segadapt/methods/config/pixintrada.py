"""Settings of PixIntraDA."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Width
from segadapt.methods.config.base import LevelWeights


class PixIntraDAConfig(Section):
    """Weights and width are AdaptSegNet's, whose networks the paper takes (Sec. 5.3)."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    """Of the loss on pseudo-labels of easy pixels."""
    beta: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    """Of the adversarial loss (Eq. 9). The paper gives no value."""
    continuous: bool = True
    """Continuously indexed adversarial learning (Eq. 8); false: two kinds of pixels (Eq. 6)."""
    lambda_kld: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the KLD regularisation beside the segmentation loss of the same level; both are
    means over the easy pixels."""
    discriminator_width: Width = 64
    """Channels of the discriminators' first layer."""
