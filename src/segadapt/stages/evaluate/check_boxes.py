"""What scoring detectors of boxes needs, and what it has no use for."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.config import Views
from segadapt.metrics_boxes import require_box_scores
from segadapt.stages.boxes import check_detector
from segadapt.stages.context import StageContext
from segadapt.stages.evaluate.config import EvaluateStage


def check_boxes(stage: EvaluateStage, context: StageContext, place: str) -> None:
    """Detectors go with boxes, one at a time, and look at an image once.

    Raises:
        SegadaptError: they do not, or the extra ``boxes`` is not installed.
    """
    check_detector(stage, context, place, stage.domain)
    if not context.classes_behind(stage.domain).boxes:
        return
    require_box_scores()
    if stage.ensembles:
        raise SegadaptError(
            f"{place}.ensembles: score maps are averaged, which detectors of boxes have not; leave "
            "it out"
        )
    if stage.views != Views():
        raise SegadaptError(
            f"{place}.views: a detector of boxes looks at the whole image, once; leave it out"
        )
    if stage.features:
        raise SegadaptError(
            f"{place}.features: are those of labelled pixels, which images with boxes have not; "
            "leave it out"
        )
