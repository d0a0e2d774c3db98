"""Which task a class set's labels are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from segadapt.base.classes import ClassSet
from segadapt.base.section import Section
from segadapt.models.heads.config.ssd import SSDConfig
from segadapt.tasks.classification import ClassificationTask
from segadapt.tasks.detection import DetectionTask
from segadapt.tasks.segmentation import SegmentationTask


def task_of(
    classes: ClassSet,
    process_mean: Callable[[Tensor], Tensor] | None = None,
    class_prior: tuple[float, ...] | None = None,
    head: Section | None = None,
    **further: Any,
) -> SegmentationTask:
    """The task of a class set.

    Args:
        classes: say whether an image has one label, boxes, or a label for each pixel.
        process_mean: see :class:`SegmentationTask`.
        class_prior: the same.
        head: settings of the head, of which a detector's say how many anchors there are.
        further: the task's other attributes.
    """
    names = tuple(classes.names)
    if classes.boxes:
        anchors = sum((head if isinstance(head, SSDConfig) else SSDConfig()).anchors_of_maps)
        return DetectionTask(
            len(names), process_mean, class_prior, class_names=names, anchors=anchors, **further
        )
    kind = ClassificationTask if classes.whole_image else SegmentationTask
    return kind(len(names), process_mean, class_prior, class_names=names, **further)
