"""What can be found wrong about a choice among snapshots."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.metrics_boxes import require_box_scores
from segadapt.stages.boxes import check_detector
from segadapt.stages.context import StageContext
from segadapt.stages.select.config import SelectStage


def check(stage: SelectStage, context: StageContext, place: str) -> None:
    """One score compares pixels, and there must be some; labels have a measure of their own."""
    classes = context.classes_behind(stage.images)
    check_detector(stage, context, place, stage.images)
    if classes.boxes and stage.source is not None:
        require_box_scores()
    measures = ("source_miou", "source_ap50")
    measure, other = reversed(measures) if classes.boxes else measures
    if stage.score == other:
        has = "boxes" if classes.boxes else "no boxes"
        raise SegadaptError(f"{place}.score: these images have {has}; use {measure}")
    whole = classes.whole_image
    if stage.score == "soft_neighbourhood_density" and whole:
        raise SegadaptError(
            f"{place}.score: soft_neighbourhood_density compares pixels, and these images have one "
            "label each; choose another score"
        )
