"""The array that the boxes of one image are in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError
from segadapt.data.paths import FilePath

Box = tuple[float, float, float, float, int, bool]
"""Left, top, right, bottom, train class id, and whether it is ignored."""
COLUMNS = 6


def box_array(boxes: Iterable[Box]) -> NDArray[np.float32]:
    """Float32 (M, 6): left, top, right, bottom in pixels, train class id, 1 where ignored."""
    rows = [tuple(float(value) for value in box) for box in boxes]
    return np.array(rows, np.float32).reshape(-1, COLUMNS)


def clipped(boxes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The boxes cut at the edges of their image, without those that have no area in it.

    Args:
        boxes: (M, 6), also with what is no number; those boxes are left out.
        size: (height, width) of the image.
    """
    kept = boxes[np.isfinite(boxes[:, :4]).all(1)].copy()
    kept[:, [0, 2]] = kept[:, [0, 2]].clip(0, size[1])
    kept[:, [1, 3]] = kept[:, [1, 3]].clip(0, size[0])
    return kept[(kept[:, 2] > kept[:, 0]) & (kept[:, 3] > kept[:, 1])]


def resized_boxes(
    label: NDArray[np.float32], size: tuple[int, ...], wanted: tuple[int, ...]
) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image of (height, width) ``size`` when it is resized to ``wanted``."""
    down, across = wanted[0] / size[0], wanted[1] / size[1]
    factors = np.array([across, down, across, down, 1, 1], np.float32)
    return label.astype(np.float32) * factors


def mirrored_boxes(label: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image that is mirrored left to right."""
    found = label.copy()
    found[:, 0], found[:, 2] = width - label[:, 2], width - label[:, 0]
    return found


def require_size(path: FilePath, told: tuple[int, int], size: tuple[int, int]) -> None:
    """Raise SegadaptError where boxes were made for an image of another size than it has.

    Args:
        path: the file of the boxes.
        told: (height, width) that it says its image has; zeros where it does not say.
        size: (height, width) of the image's file, upright.
    """
    if all(told) and told != size:
        turned = " (turned by its EXIF data?)" if told == size[::-1] else ""
        raise SegadaptError(
            f"{path}: says that its image is {told[0]}x{told[1]} (height x width), and the image's "
            f"file is {size[0]}x{size[1]}{turned}; boxes are in pixels of the file, so scale them, "
            "or put the image back that they were made for"
        )
