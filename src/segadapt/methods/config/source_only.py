"""Settings of training on the source alone."""

from __future__ import annotations

from segadapt.base.section import Section
from segadapt.methods.config.base import LevelWeights


class SourceOnlyConfig(Section):
    """The weight of the auxiliary level is that of the released programs."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
