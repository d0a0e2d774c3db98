"""Settings of DACS, and of the methods that go on from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Fraction, ScaleRange, Weight
from segadapt.methods.config.base import LevelWeights


class Augmentation(Section):
    """Colours of mixed and masked images; values of DAFormer's program."""

    colour: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    """Largest change of brightness, contrast, saturation and hue."""
    colour_probability: Fraction = 0.8
    """How likely colours change."""
    blur_probability: Fraction = 0.5
    """How likely an image is blurred."""
    sigma: ScaleRange = (0.15, 1.15)
    """Smallest and largest width of the blur, in pixels."""


class ClassWise(Section):
    """Thresholds that move with the batches, one for each class; names and values of IAST."""

    alpha: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Largest share of the pixels of a class that is kept."""
    beta: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Weight of the thresholds so far."""
    gamma: Annotated[float, Field(ge=0)] = 8.0
    """How much less of a class is kept where its threshold is low."""


class DACSConfig(Section):
    """Values of DAFormer's program; DACS's own has an alpha of 0.99 and colours of 0.25."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    """Of the levels, on source and on mixed images."""
    lambda_mix: Weight = 1.0
    """Of the loss on mixed images."""
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Largest weight of the teacher's past."""
    threshold: Fraction = 0.968
    """Confidence from which a pixel counts as sure."""
    weighting: Literal["batch", "class_wise"] = "batch"
    """``batch``: every pixel weighs as much as the share of sure pixels (published).
    ``class_wise``: pixels weigh 1 from the threshold of their class on, and 0 below it."""
    class_wise: ClassWise = ClassWise()
    mirrored_teacher: bool = False
    """The teacher's prediction is averaged with that of the mirrored image (VFM-UDA)."""
    augmentation: Augmentation = Augmentation()

    @property
    def keeps_teacher(self) -> bool:
        """The averaged network is an output of the stage."""
        return True
