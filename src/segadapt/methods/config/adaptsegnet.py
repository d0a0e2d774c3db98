"""Settings of AdaptSegNet."""

from __future__ import annotations

from segadapt.config.values import Gan, Width
from segadapt.methods.config.base import LevelWeights, TargetConfig


class AdaptSegNetConfig(TargetConfig):
    """Settings of the released program; one discriminator for each level of the model."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    """Of the supervised loss on the source."""
    lambda_adv: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    """Of the adversarial loss on the target."""
    gan: Gan = "vanilla"
    """Loss of the discriminators."""
    discriminator_width: Width = 64
    """Channels of the discriminators' first layer."""
