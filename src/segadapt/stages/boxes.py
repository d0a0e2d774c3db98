"""Detectors go with images that have boxes, and what sees pixels with all others."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Stage
from segadapt.stages.context import StageContext


def check_detector(stage: Stage, context: StageContext, place: str, images: str) -> None:
    """Every network that a stage uses must be for what its images have.

    Raises:
        SegadaptError: one finds boxes where there are none, or none where there are some.
    """
    boxes = context.classes_behind(images).boxes
    for reference in stage.references():
        if context.is_images(reference.name):
            continue
        if context.classes_behind(reference.name).boxes != boxes:
            finds, have = ("no boxes", "some") if boxes else ("boxes", "none")
            raise SegadaptError(
                f"{place}.{reference.key}: {reference.name!r} finds {finds}, and the images of "
                f"{images!r} have {have}; choose another domain or checkpoint"
            )


def require_no_boxes(reference: str, key: str, context: StageContext, place: str) -> None:
    """Raise SegadaptError where what needs classes of pixels is given boxes, or a detector."""
    if context.classes_behind(reference).boxes:
        raise SegadaptError(
            f"{place}.{key}: {reference!r} is for boxes, and here pixels have classes; leave it "
            "out, or choose one whose pixels have"
        )
