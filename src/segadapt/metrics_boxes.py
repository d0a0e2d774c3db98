"""Average precision of boxes, as COCO's own program has it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segadapt.base.detections import Detections
from segadapt.base.extras import require_extra

ABSENT_RULE = (
    "A class that has no box in the labels has no AP and is left out of the means; ignored boxes "
    "count neither for nor against what is found there."
)
OVERLAPS = np.linspace(0.5, 0.95, 10).tolist()
"""IoU from which a box counts as found; in torchmetrics' own they are rounded to float32."""
RECALLS = np.linspace(0, 1, 101).tolist()
MOST = [1, 10, 100]
"""Boxes of a class in an image that count: COCO's numbers, of which the last is used."""
AT_50, AT_75 = 0, 5


@dataclass(frozen=True)
class BoxScores:
    """Average precision of one detector on one domain, as fractions.

    Means are over the classes that have boxes; NaN where none has.
    """

    map: float
    """COCO's: the mean over IoU thresholds 0.50, 0.55, ..., 0.95."""
    ap50: float
    ap75: float
    class_ap: list[float | None]
    """As ``map``, per class; None where it has no box."""
    class_ap50: list[float | None]
    precision: list[list[float] | None]
    """Per class: at IoU 0.5, for recalls 0, 0.01, ..., 1; 0 where the recall is not reached."""
    boxes: list[int]
    """True boxes per class, without the ignored ones."""


def require_box_scores() -> None:
    """Raise SegadaptError unless what AP needs is installed."""
    require_extra("the AP of boxes", "boxes", faster_coco_eval="faster-coco-eval")


def score_boxes(
    found: Sequence[Detections], truth: Sequence[NDArray[np.float32]], num_classes: int
) -> BoxScores:
    """AP of what was found in images, of which each has its true boxes.

    Args:
        found: per image, in pixels of its file.
        truth: (M, 6) per image, in the same pixels: left, top, right, bottom, class, and 1 where
            the box is ignored (COCO's crowds).
        num_classes: C.

    Raises:
        SegadaptError: the extra ``boxes`` is not installed.
    """
    require_box_scores()
    rows = np.concatenate([np.zeros((0, 6), np.float32), *truth])
    ids = rows[rows[:, 5] == 0, 4].astype(np.int64)
    boxes = np.bincount(ids, minlength=num_classes).tolist()
    if not len(ids):
        nothing: list[None] = [None] * num_classes
        return BoxScores(math.nan, math.nan, math.nan, [*nothing], [*nothing], [*nothing], boxes)
    precision = _precision(found, truth, num_classes)
    classes = [k for k in range(num_classes) if boxes[k]]

    def means(of: NDArray[np.float64]) -> list[float | None]:
        return [float(of[..., k].mean()) if boxes[k] else None for k in range(num_classes)]

    return BoxScores(
        map=float(precision[..., classes].mean()),
        ap50=float(precision[AT_50][:, classes].mean()),
        ap75=float(precision[AT_75][:, classes].mean()),
        class_ap=means(precision),
        class_ap50=means(precision[AT_50]),
        precision=[
            precision[AT_50, :, k].tolist() if boxes[k] else None for k in range(num_classes)
        ],
        boxes=boxes,
    )


def _precision(
    found: Sequence[Detections], truth: Sequence[NDArray[np.float32]], num_classes: int
) -> NDArray[np.float64]:
    """(10 overlaps, 101 recalls, C); 0 where there is none."""
    from torchmetrics.detection import MeanAveragePrecision  # not for those who have no boxes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is written to be imported with plots and all
        metric = MeanAveragePrecision(
            iou_thresholds=OVERLAPS,
            rec_thresholds=RECALLS,
            max_detection_thresholds=MOST,
            extended_summary=True,
            backend="faster_coco_eval",
        )
        metric.warn_on_many_detections = False
        metric.update([_prediction(x) for x in found], [_target(x) for x in truth])
        result = metric.compute()
    # Its classes are those that occur, in order.
    seen = torch.cat([*(x.labels.cpu() for x in found), *(_target(x)["labels"] for x in truth)])
    precision = np.zeros((len(OVERLAPS), len(RECALLS), num_classes))
    precision[..., seen.unique().numpy()] = result["precision"][..., 0, -1].double().numpy()
    return precision.clip(min=0)


def _prediction(one: Detections) -> dict[str, Tensor]:
    return {
        "boxes": one.boxes.cpu().float(),
        "scores": one.scores.cpu().float(),
        "labels": one.labels.cpu().long(),
    }


def _target(boxes: NDArray[np.float32]) -> dict[str, Tensor]:
    rows = torch.from_numpy(boxes)
    return {
        "boxes": rows[:, :4].float(),
        "labels": rows[:, 4].long(),
        "iscrowd": (rows[:, 5] != 0).long(),
    }
