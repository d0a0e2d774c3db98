"""What can be found wrong about counting classes."""

from __future__ import annotations

from segadapt.stages.boxes import require_no_boxes
from segadapt.stages.class_counts.config import ClassCountsStage
from segadapt.stages.context import StageContext


def check(stage: ClassCountsStage, context: StageContext, place: str) -> None:
    """Pixels are counted, and there must be some with a class."""
    require_no_boxes(stage.source, "source", context, place)
