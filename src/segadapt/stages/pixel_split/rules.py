"""The rules by which easy pixels are told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from segadapt.base.section import Section
from segadapt.config.values import Fraction


class MedianSelection(Section):
    """PixIntraDA's own rule (Sec. 4.1): thresholds are class medians."""

    rule: Literal["class_median"] = "class_median"
    alpha: Annotated[float, Field(gt=0)] | None = None
    """Scale of the thresholds (Eq. 2); 1 where neither it nor a proportion is given."""
    proportion: Annotated[float, Field(gt=0, le=1)] | None = None
    """Wanted share of easy pixels (Eq. 4); alpha is found for it."""
    cap: Annotated[float, Field(gt=0, le=1)] = 0.9
    """No threshold is above it."""

    @model_validator(mode="after")
    def _has_one_of_both(self) -> MedianSelection:
        if self.alpha is not None and self.proportion is not None:
            raise ValueError("give alpha or proportion, not both")
        return self


class BalancedSelection(Section):
    """CBST's rule (Zou et al., ECCV 2018): the most confident portion of each class."""

    rule: Literal["class_balanced"]
    portion: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Of the pixels of a class."""


class InstanceSelection(Section):
    """IAST's rule (Mei et al., ECCV 2020): thresholds that move from image to image."""

    rule: Literal["instance_adaptive"]
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Largest share of the pixels of a class that is kept."""
    beta: Fraction = 0.9
    """Weight of the thresholds so far."""
    gamma: Annotated[float, Field(ge=0)] = 8.0
    """How much less of a class is kept where its threshold is low."""
