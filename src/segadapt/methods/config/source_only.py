"""Settings of training on the source alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.methods.config.base import LevelWeights
from segadapt.methods.config.dacs import Augmentation


class SourceOnlyConfig(Section):
    """The weight of the auxiliary level is that of the released programs."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    augmentation: Augmentation | None = None
    """Colours of the images; as they are where not given."""
    alpha: Annotated[float, Field(ge=0, lt=1)] | None = None
    """An average of the network over the training, with this largest weight of the past, is kept
    beside it: the output ``teacher``."""

    @property
    def keeps_teacher(self) -> bool:
        """The averaged network is an output of the stage."""
        return self.alpha is not None
