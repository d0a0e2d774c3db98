"""Settings of CIRN."""

from __future__ import annotations

from segadapt.base.section import Section
from segadapt.config.values import Weight, Width


class CIRNConfig(Section):
    """Values of CIRN (Implementation Details); of CLAN's program where CIRN gives none."""

    lambda_adv: Weight = 0.001
    """Of the adversarial loss."""
    lambda_cos: Weight = 40.0
    """Of the classifiers' distance in a pixel's adversarial weight."""
    epsilon: Weight = 0.4
    """Added to a pixel's adversarial weight."""
    lambda_weight: Weight = 0.01
    """Of the weight discrepancy loss: what CLAN's program sets, before it doubles and damps it."""
    discriminator_width: Width = 64
    """Channels of the discriminator's first layer."""
