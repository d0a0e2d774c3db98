"""Windows of images, and where they lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Window(NamedTuple):
    """A part of an image, in its pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, maps: Tensor) -> Tensor:
        """What maps (..., H, W) of the image's size have there."""
        return maps[..., self.top : self.top + self.height, self.left : self.left + self.width]


def covering(size: tuple[int, ...], largest: tuple[int, int], overlap: float) -> list[Window]:
    """Evenly spaced windows that cover an image of (height, width) ``size``, row by row.

    Args:
        size: of the image.
        largest: (height, width) of a window; no more than the image has.
        overlap: see :func:`window_starts`.
    """
    height, width = (min(a, b) for a, b in zip(largest, size, strict=True))
    return [
        Window(top, left, height, width)
        for top in window_starts(size[0], height, overlap)
        for left in window_starts(size[1], width, overlap)
    ]


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """First pixels of evenly spaced windows that cover ``length`` pixels, the last one flush.

    Args:
        length: pixels to cover.
        window: pixels of a window, at most ``length``.
        overlap: least share of a window that it has in common with the next, in [0, 1).
    """
    stride = max(1, math.floor(window * (1 - overlap)))
    steps = math.ceil((length - window) / stride)
    return [round(i * (length - window) / steps) for i in range(steps + 1)] if steps else [0]
