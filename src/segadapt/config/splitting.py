"""Stages that sort a target's images or pixels, and label them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from segadapt.config.values import Fraction, Positive, Size, Workers, with_rule
from segadapt.section import Section


class RankStage(Section):
    """Rank a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

    stage: Literal["rank"]
    checkpoint: str
    images: str
    easy_ratio: Fraction = 0.67
    normalisation: Literal["none", "rare_classes", "released"] = "none"
    batch_size: Positive = 4
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 12
    """Pictures kept for the report."""


class PseudoLabelStage(Section):
    """Label images with a checkpoint's most probable classes (IntraDA, Eq. 5)."""

    stage: Literal["pseudo_label"]
    checkpoint: str
    images: str
    batch_size: Positive = 4
    workers: Workers = 2


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


class Views(Section):
    """How a trained model looks at an image; score maps of all views are averaged."""

    scales: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (1.0,)
    """Factors on the image's size."""
    flip: bool = False
    """Look at the mirrored image too."""
    window: Size | None = None
    """Look through a sliding window of this (height, width); None takes the whole image."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 1 / 3
    """Least share of a window that its neighbour covers too."""


class PixelSplitStage(Section):
    """Split a target's pixels into easy ones, with pseudo-labels, and hard ones (PixIntraDA)."""

    stage: Literal["pixel_split"]
    checkpoint: str
    images: str
    selection: Annotated[
        MedianSelection | BalancedSelection | InstanceSelection, Field(discriminator="rule")
    ] = MedianSelection()
    views: Views = Views()
    batch_size: Positive = 4
    workers: Workers = 2
    gallery: Annotated[int, Field(ge=0)] = 6
    """Pictures kept for the report."""

    @field_validator("selection", mode="before")
    @classmethod
    def _own_rule_where_none_is_named(cls, value: Any) -> Any:
        return with_rule(value, "class_median")
