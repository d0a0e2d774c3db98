"""Settings that methods share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Weight

if TYPE_CHECKING:
    from segadapt.tasks.segmentation import Level


class LevelWeights(Section):
    """Weights of a loss on the main and on the auxiliary prediction."""

    main: Weight
    """On the prediction."""
    aux: Weight
    """On the auxiliary prediction, where the head has one."""

    def of(self, level: Level) -> float:
        """The weight for ``level``."""
        return self.main if level.name == "main" else self.aux


class ClassPriorConfig(Section):
    """Class-ratio prior on target predictions (ADVENT, Sec. 3.3)."""

    lambda_cp: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    """Of its loss."""
    mu: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """0 asks for nothing, 1 for the prior itself."""


class TargetConfig(Section):
    """Settings that methods with a loss on target predictions share."""

    class_prior: ClassPriorConfig | None = None
