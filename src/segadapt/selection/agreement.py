"""How far models say the same of an image that nobody has labelled.

* Of maps: the share of pixels with the same class.
* Of boxes: ``2 m / (a + b)`` where two models find ``a`` and ``b`` boxes and ``m`` pairs of one
  class overlap by an IoU of 0.5 or more, each box in one pair at most (Dice's coefficient).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torchvision.ops import box_iou

OVERLAP = 0.5
"""IoU from which two boxes are the same."""

Boxes = tuple[Tensor, Tensor]
"""Boxes (N, 4) left, top, right, bottom, and their class ids (N,); the surest first."""


def agreement_of_pixels(labels: Sequence[Tensor]) -> list[list[float]]:
    """Agreement (K, K) in [0, 1] of K maps of class ids (height, width)."""
    return [[float((a == b).double().mean()) for b in labels] for a in labels]


def agreement_of_boxes(found: Sequence[Boxes]) -> list[list[float]]:
    """Agreement (K, K) in [0, 1] of what K models find; 1 where two of them find nothing."""
    return [[_of_two(a, b) for b in found] for a in found]


def _of_two(one: Boxes, other: Boxes) -> float:
    number = len(one[1]) + len(other[1])
    if not number:
        return 1.0
    overlap = box_iou(one[0], other[0])
    overlap[one[1][:, None] != other[1][None]] = 0.0
    matched = 0
    # The pair that overlaps most goes first, so that the order of the two models does not matter.
    while overlap.numel() and float(overlap.max()) >= OVERLAP:
        row, column = divmod(int(overlap.argmax()), overlap.shape[1])
        overlap[row], overlap[:, column] = 0.0, 0.0
        matched += 1
    return 2 * matched / number
