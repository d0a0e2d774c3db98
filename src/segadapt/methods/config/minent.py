"""Settings of MinEnt."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.methods.config.base import LevelWeights, TargetConfig


class MinEntConfig(TargetConfig):
    """Settings of the paper (main level) and of the released program (auxiliary level)."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    """Of the supervised loss on the source."""
    lambda_ent: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    """Of the entropy on the target."""
    entropy_share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Share of each target image's pixels, those of highest entropy, that count (0.3 for +ER)."""
