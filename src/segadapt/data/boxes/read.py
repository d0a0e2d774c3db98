"""The boxes of one image, in whatever form they are stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.array import clipped
from segadapt.data.boxes.coco import read_coco
from segadapt.data.boxes.instances import read_instances
from segadapt.data.boxes.voc import read_voc
from segadapt.data.boxes.yolo import read_yolo
from segadapt.data.class_map import ClassMap
from segadapt.data.paths import FilePath

Read = Callable[[FilePath, ClassMap, tuple[int, int]], NDArray[np.float32]]

BY_SUFFIX: dict[str, Read] = {
    ".json": read_coco,
    ".xml": read_voc,
    ".txt": read_yolo,
    ".png": read_instances,
}


def stored_boxes(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes (M, 6) as they are stored, also outside of the image and without area.

    Args:
        path: of the boxes.
        class_map: what stored names and ids mean; boxes of classes mapped to 255 are left out.
        size: (height, width) of the image that they are of, upright.

    Raises:
        SegadaptError: the file is missing or malformed, of another image, or has a class that the
            map has not.
    """
    read = BY_SUFFIX.get(path.suffix.lower())
    if read is None:
        raise SegadaptError(
            f"{path}: is no form of boxes that is known; there are {', '.join(BY_SUFFIX)}"
        )
    return read(path, class_map, size)


def read_boxes(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes float32 (M, 6): left, top, right, bottom in pixels, train class id, 1 where ignored.

    They are cut at the image's edges, and left out where nothing remains of them; what that changes
    :mod:`segadapt.data.boxes.problems` tells.

    Args:
        path: of the boxes.
        class_map: what stored names and ids mean; boxes of classes mapped to 255 are left out.
        size: (height, width) of the image that they are of, upright.

    Raises:
        SegadaptError: as :func:`stored_boxes`.
    """
    return clipped(stored_boxes(path, class_map, size), size)
