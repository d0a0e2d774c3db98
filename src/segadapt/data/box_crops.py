"""Where SSD's augmentation lays and cuts images: in numpy, as torchvision's takes five times the
time of all the rest of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""
OVERLAPS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Least overlaps with a box, drawn evenly; 1 leaves the image whole."""
TRIALS = 40
SMALLEST_SIDE = 0.3
"""Of a crop, as a share of the image's."""
LONGEST = 2.0
"""Largest proportion of a crop's sides."""


def expansion(
    size: tuple[int, ...], largest: float, generator: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) of a larger canvas, and the place (top, left) of the image in it.

    The factor is drawn evenly from 1 to ``largest`` (torchvision's RandomZoomOut).
    """
    factor = generator.uniform(1.0, largest)
    height, width = int(factor * size[0]), int(factor * size[1])
    top = int(generator.uniform() * (height - size[0]))
    left = int(generator.uniform() * (width - size[1]))
    return (height, width), (top, left)


def crop(
    size: tuple[int, ...], boxes: NDArray[np.float32], generator: np.random.Generator
) -> Box | None:
    """A part of an image that overlaps one of its boxes as much as was drawn; None for all of it.

    Rules and numbers are those of torchvision's RandomIoUCrop: sides from 0.3 to 1 of the image's,
    proportions up to 2, the centre of a box at least inside.

    Args:
        size: (height, width).
        boxes: (M, 4), at least one.
        generator: draws.
    """
    height, width = size[:2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    while True:
        overlap = OVERLAPS[generator.integers(len(OVERLAPS))]
        if overlap >= 1.0:
            return None
        for sides in generator.uniform(SMALLEST_SIDE, 1.0, (TRIALS, 2)):
            down, across = int(height * sides[0]), int(width * sides[1])
            if not across <= LONGEST * down or not down <= LONGEST * across:
                continue
            top = int((height - down) * generator.uniform())
            left = int((width - across) * generator.uniform())
            right, bottom = left + across, top + down
            if left == right or top == bottom:
                continue
            inside = ((centres > (left, top)) & (centres < (right, bottom))).all(axis=1)
            if inside.any() and _overlaps(boxes[inside], (left, top, right, bottom)) >= overlap:
                return left, top, right, bottom


def _overlaps(boxes: NDArray[np.float32], part: Box) -> float:
    """Largest intersection over union of a box with a part."""
    sides = np.minimum(boxes[:, 2:], part[2:]) - np.maximum(boxes[:, :2], part[:2])
    common = sides.clip(0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return float((common / (areas + (part[2] - part[0]) * (part[3] - part[1]) - common)).max())
