"""What can be found wrong about pseudo-labels."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.stages.boxes import check_detector
from segadapt.stages.context import StageContext
from segadapt.stages.pseudo_label.config import PseudoLabelStage


def check(stage: PseudoLabelStage, context: StageContext, place: str) -> None:
    """Detectors find boxes where images have some, and only those are chosen by a score."""
    check_detector(stage, context, place, stage.images)
    if stage.boxes is not None and not context.classes_behind(stage.images).boxes:
        raise SegadaptError(f"{place}.boxes: these images have no boxes; leave it out")
