"""What is odd about the boxes of an image, so that nothing is changed in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 2.0
"""Pixels that boxes may reach outside of their image by the rounding of programs."""

OUTSIDE = "boxes wholly outside of their image, which are left out"
REACHING = "boxes that reach outside of their image, and are cut at its edges"
ROUNDED = f"boxes up to {ROUNDING:g} pixels outside of their image, which are cut at its edges"
WITHOUT_AREA = "boxes without area, which are left out"
NO_NUMBERS = "boxes of what is no number, which are left out"
DOUBLE = "boxes that are there twice, of one class and place, and count twice"


class Oddity(NamedTuple):
    """One box that is odd."""

    kind: str
    """What many such boxes are called."""
    box: str
    """Class and corners, in words."""


def oddities(
    boxes: NDArray[np.float32], size: tuple[int, int], names: Sequence[str]
) -> list[Oddity]:
    """What is odd about the boxes (M, 6) of an image as they are stored, box by box.

    Args:
        boxes: as :func:`segadapt.data.boxes.read.stored_boxes` gives them.
        size: (height, width) of the image.
        names: of the classes, by train id.
    """
    found = []
    seen: Counter[tuple[float, ...]] = Counter()
    for row in boxes.tolist():
        kind = _kind(row[:4], size)
        key = tuple(row[:5])
        seen[key] += 1
        if kind is None and seen[key] > 1:
            kind = DOUBLE
        if kind is not None:
            corners = ", ".join(f"{x:g}" for x in row[:4])
            found.append(Oddity(kind, f"{names[int(row[4])]} at {corners}"))
    return found


def _kind(corners: Sequence[float], size: tuple[int, int]) -> str | None:
    if not np.isfinite(corners).all():
        return NO_NUMBERS
    left, top, right, bottom = corners
    if right <= left or bottom <= top:
        return WITHOUT_AREA
    height, width = size
    if min(right, width) <= max(left, 0) or min(bottom, height) <= max(top, 0):
        return OUTSIDE
    beyond = max(-left, -top, right - width, bottom - height)
    if beyond > ROUNDING:
        return REACHING
    return ROUNDED if beyond > 0 else None
