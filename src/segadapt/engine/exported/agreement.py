"""Whether an exported file gives what the network gives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from segadapt.engine.exported.graph import Output

SCORES, LABELS = 1e-4, 0.9999
"""Largest difference of scores (as shares of the largest score where that is above 1, of a box in
shares of the larger side), and smallest share of equal labels."""
HALF_SCORES, HALF_LABELS = 0.01, 0.99
"""The same in half precision."""
COMPARED = 2000
"""Detections."""


class Agreement(NamedTuple):
    """On pictures of one shape."""

    shape: tuple[int, int, int]
    """Batch, height, width."""
    difference: float
    """The largest, of scores or boxes; 0 for labels."""
    equal: float
    """Share of equal labels, or of detections that are found again."""
    holds: bool

    @property
    def told(self) -> str:
        """In words."""
        size = "{} pictures of {}x{}".format(*self.shape)
        return f"{size}: difference {self.difference:.1e}, {100 * self.equal:.3f} % equal"


def required(half: bool) -> str:
    """What is asked for, in words."""
    scores, labels = (HALF_SCORES, HALF_LABELS) if half else (SCORES, LABELS)
    return f"{scores:g} of the largest score and {100 * labels:g} % of equal labels are asked for"


def agreement(
    shape: tuple[int, int, int],
    output: Output,
    expected: tuple[Tensor, ...],
    found: tuple[Tensor, ...],
    half: bool,
) -> Agreement:
    """Compare what came out of both for the same pictures."""
    difference, equal = _compared(shape, output, expected, found)
    scores, labels = (HALF_SCORES, HALF_LABELS) if half else (SCORES, LABELS)
    return Agreement(shape, difference, equal, difference <= scores and equal >= labels)


def _compared(
    shape: tuple[int, int, int],
    output: Output,
    expected: tuple[Tensor, ...],
    found: tuple[Tensor, ...],
) -> tuple[float, float]:
    if output == "detections":
        return 0.0, _found_again(expected[0], found[0])
    if [x.shape for x in expected] != [x.shape for x in found]:
        return float("inf"), 0.0
    if output == "labels":
        return 0.0, float((expected[0] == found[0]).double().mean())
    if output == "scores":
        largest = max(1.0, float(expected[0].abs().max()))
        difference = float((expected[0] - found[0]).abs().max()) / largest
        equal = (expected[0].argmax(dim=1) == found[0].argmax(dim=1)).double().mean()
        return difference, float(equal)
    side = max(shape[1:])
    boxes = float((expected[0] - found[0]).abs().max()) / side
    probability = float((expected[1] - found[1]).abs().max())
    equal = (expected[1].argmax(dim=-1) == found[1].argmax(dim=-1)).double().mean()
    return max(boxes, probability), float(equal)


def _found_again(expected: Tensor, found: Tensor) -> float:
    """Share of the surest expected detections that are found, of the same image and class."""
    if len(expected) == 0 or len(found) == 0:
        return float(len(expected) == len(found))
    # The surest: of a network that was never trained there are tens of thousands.
    expected, found = expected[:COMPARED], found[: COMPARED + COMPARED // 50]
    units = expected.new_tensor([1e-3, 1e-3, 1e-3, 1.0, 1.0, 1.0, 1.0])
    distance = torch.cdist(expected / units, found / units, p=float("inf"))
    return float((distance.amin(dim=1) < 1.0).double().mean())
