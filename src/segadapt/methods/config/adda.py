"""Settings of ADDA."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Width


class ADDAConfig(Section):
    """Values of CyCADA's program, whose feature-level step this is."""

    discriminator_width: Width = 500
    """Channels of the discriminator's hidden layers."""
    confident_above: Annotated[float, Field(ge=0, le=1)] = 0.6
    """The model learns only where the discriminator is right about this share of the batch."""
    lambda_seg: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the supervised loss on the source beside it. CyCADA's Eq. 5, a joint objective, has
    1 (on translated images); its program, as ADDA, learns from labels before, and not here."""
