"""Settings of the mean teacher."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Fraction, Weight
from segadapt.methods.config.base import LevelWeights
from segadapt.methods.config.dacs import Augmentation


class MeanTeacherConfig(Section):
    """No paper's values: colours are DAFormer's, the threshold for boxes Unbiased Teacher's."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    """Of the levels, on source and target."""
    lambda_pseudo: Weight = 1.0
    """Of the teacher's labels on the target."""
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Largest weight of the teacher's past."""
    threshold: Fraction = 0.7
    """Probability from which a pixel, an image or a box is learned from."""
    augmentation: Augmentation = Augmentation()
    """Colours of what the student sees of the target."""

    @property
    def keeps_teacher(self) -> bool:
        """The averaged network is an output of the stage."""
        return True
