"""Settings of CLAN."""

from __future__ import annotations

from segadapt.base.section import Section
from segadapt.config.values import Fraction, Weight, Width


class CLANConfig(Section):
    """Values of the released program on GTA5; SYNTHIA's ``lambda_local`` is 10."""

    lambda_adv: Weight = 0.001
    """Of the adversarial loss."""
    lambda_local: Weight = 40.0
    """Of the classifiers' distance in a pixel's adversarial weight (Eq. 6)."""
    epsilon: Weight = 0.4
    """Added to a pixel's adversarial weight."""
    lambda_weight: Weight = 0.02
    """The program writes 0.01, and doubles it where it is used."""
    gamma: Weight = 2.0
    """Of the focal losses; 0 is the paper's cross-entropy (Eq. 3)."""
    preheat: Fraction = 0.05
    """Share of the training in which the adversarial loss has no weights."""
    discriminator_width: Width = 64
    """Channels of the discriminator's first layer."""
