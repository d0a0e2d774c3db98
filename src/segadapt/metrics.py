"""Scores from a confusion matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from segadapt.base.classes import ClassSet
from segadapt.losses.segmentation import IGNORE

ABSENT_RULE = (
    "A class that occurs neither in the labels nor in the predictions has no IoU and is left out "
    "of the mean; one that is predicted but never labelled counts as 0."
)


@dataclass(frozen=True)
class Scores:
    """Intersection over union of one model on one domain, as fractions."""

    confusion: list[list[int]]
    """Pixels by true class (rows) and predicted class (columns)."""
    iou: list[float | None]
    """Per class; None where the class is absent."""
    miou: float
    pixel_accuracy: float
    subsets: dict[str, float]
    """mIoU over the class set's subsets, by name."""


class ConfusionMatrix:
    """Accumulates pixels by true and predicted class, over any number of images."""

    def __init__(self, num_classes: int, device: torch.device) -> None:
        self._counts = torch.zeros(num_classes, num_classes, dtype=torch.long, device=device)

    def update(self, prediction: Tensor, label: Tensor) -> None:
        """Add predicted ids in [0, C) and true ones, uint8, of equal shape; 255 is ignored."""
        classes = len(self._counts)
        pairs = prediction.flatten().add(label.flatten().long(), alpha=classes)
        rows = torch.bincount(pairs, minlength=(IGNORE + 1) * classes).view(-1, classes)
        self._counts += rows[:classes]

    def counts(self) -> Tensor:
        """(C, C) integer counts so far; zeros before the first update."""
        return self._counts


def score(confusion: Tensor, classes: ClassSet) -> Scores:
    """IoU = TP / (TP + FP + FN) per class, and their means, of (C, C) counts (rows are truth)."""
    matrix = confusion.double()
    hit = matrix.diag()
    union = matrix.sum(dim=0) + matrix.sum(dim=1) - hit
    iou = [float(h / u) if u > 0 else None for h, u in zip(hit, union, strict=True)]
    total = float(matrix.sum())
    return Scores(
        confusion=confusion.long().tolist(),
        iou=iou,
        miou=mean_iou(iou),
        pixel_accuracy=float(hit.sum()) / total if total else math.nan,
        subsets={
            name: mean_iou([iou[i] for i in members]) for name, members in classes.subsets.items()
        },
    )


def mean_iou(iou: list[float | None]) -> float:
    """Mean over the classes that are present; NaN where none is."""
    present = [x for x in iou if x is not None]
    return sum(present) / len(present) if present else math.nan
