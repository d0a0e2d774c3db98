"""What can be found wrong about a choice among snapshots."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.stages.context import StageContext
from segadapt.stages.select.config import SelectStage


def check(stage: SelectStage, context: StageContext, place: str) -> None:
    """One score compares pixels, and there must be some."""
    whole = context.classes_behind(stage.images).whole_image
    if stage.score == "soft_neighbourhood_density" and whole:
        raise SegadaptError(
            f"{place}.score: soft_neighbourhood_density compares pixels, and these images have one "
            "label each; choose another score"
        )
