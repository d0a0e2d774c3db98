"""What can be found wrong about looking at images through checkpoints."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.stages.boxes import check_detector
from segadapt.stages.context import StageContext
from segadapt.stages.inspect.config import InspectStage


def check(stage: InspectStage, context: StageContext, place: str) -> None:
    """Boxes need detectors, and every checkpoint is shown under its stage's name."""
    check_detector(stage, context, place, stage.images)
    names = [reference.partition(".")[0] for reference in stage.checkpoints]
    for name in names:
        if names.count(name) > 1:
            raise SegadaptError(
                f"{place}.checkpoints: {name!r} stands there more than once; name each stage once"
            )
