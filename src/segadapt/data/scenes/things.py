"""Boxes of what moves in a scene, from the numbers that its objects were painted with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from .canvas import F32, U8
from .people import BICYCLIST, PEDESTRIAN
from .vehicles import CAR

THINGS = (CAR, PEDESTRIAN, BICYCLIST)
"""Class ids of what has boxes; the place in it is the class of the box."""
TINY = 4
"""Pixels; where a side of a box has fewer it is ignored."""


def boxes_of(number: U8, labels: Sequence[int], shared: Collection[int]) -> F32:
    """Boxes (M, 6) around what is seen of things: see :meth:`segadapt.data.domain.Domain.label`.

    Args:
        number: (height, width), which object each pixel is of.
        labels: class id by object.
        shared: objects that are several, which are ignored.
    """
    boxes = []
    for thing in np.unique(number).tolist():
        if labels[thing] not in THINGS:
            continue
        seen = number == thing
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        ignored = thing in shared or min(right - left, bottom - top) < TINY
        boxes.append((left, top, right, bottom, THINGS.index(labels[thing]), ignored))
    return np.array(boxes, np.float32).reshape(-1, 6)
