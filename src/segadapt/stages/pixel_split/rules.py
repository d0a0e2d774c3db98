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

    @model_validator(mode="after")
    def _has_one_of_both(self) -> MedianSelection:
        if self.alpha is not None and self.proportion is not None:
            raise ValueError("give alpha or proportion, not both")
        return self


class BalancedSelection(Section):
    """CBST's rule (Zou et al., ECCV 2018): the most confident portion of each class."""

    rule: Literal["class_balanced"]
    portion: Annotated[float, Field(gt=0, le=1)] = 0.2


class InstanceSelection(Section):
    """IAST's rule (Mei et al., ECCV 2020): thresholds that move from image to image."""

    rule: Literal["instance_adaptive"]
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.2
    beta: Fraction = 0.9
    gamma: Annotated[float, Field(ge=0)] = 8.0
