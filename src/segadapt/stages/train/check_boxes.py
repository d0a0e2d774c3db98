"""What a training on boxes needs, and what it has no use for."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.metrics_boxes import require_box_scores
from segadapt.stages.context import StageContext
from segadapt.stages.train.config import TrainStage

HEAD = "ssd"


def check_boxes(stage: TrainStage, context: StageContext, place: str) -> None:
    """Detectors are for boxes, and boxes for detectors.

    Raises:
        SegadaptError: one of the stage's settings does not go with its images' labels.
    """
    boxes = context.classes_behind(stage.first_source).boxes
    if boxes != (stage.model.heads == HEAD):
        raise SegadaptError(
            f"{place}.model.heads: these images have boxes; set heads to {HEAD}"
            if boxes
            else f"{place}.model.heads: {HEAD} finds boxes, and these images have none; choose "
            "other heads, or a data set with boxes"
        )
    if not boxes:
        if stage.box_augmentation is not None:
            raise SegadaptError(
                f"{place}.box_augmentation: these images have no boxes; leave it out"
            )
        return
    if stage.validation is not None:
        require_box_scores()
    for key in ("crop", "jitter", "rare_classes", "target_margins", "class_prior"):
        if getattr(stage, key) is not None:
            advice = "use box_augmentation" if key in ("crop", "jitter") else "leave it out"
            raise SegadaptError(f"{place}.{key}: is for labels of pixels; {advice}")
    for name in (*stage.sources, *stage.targets):
        domain = context.domain_behind(name)
        if context.recipe.domains[domain].size is None:
            raise SegadaptError(
                f"{place}: images of domain {domain!r} with boxes come in batches of one size; "
                "give the domain a size, [300, 300] (height, width) as in SSD-300"
            )
