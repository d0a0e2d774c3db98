"""Boxes written in COCO's form, which :mod:`segadapt.data.boxes.coco` and others read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class ImageBoxes(NamedTuple):
    """The boxes of one image."""

    name: str
    """Of its file, below the folder of images."""
    size: tuple[int, int]
    """(height, width) of the file."""
    boxes: NDArray[np.float32]
    """(M, 6): left, top, right, bottom in its pixels, class id, and 1 where ignored."""


def coco_content(images: Iterable[ImageBoxes], class_names: Sequence[str]) -> dict[str, Any]:
    """What a COCO file says of images; ids count from 1, and ignored boxes are crowds."""
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, (height, width), boxes) in enumerate(images, 1):
        listed.append({"id": number, "file_name": name, "height": height, "width": width})
        for left, top, right, bottom, class_id, ignored in boxes.tolist():
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(class_id) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": int(ignored),
                }
            )
    names = [{"id": i, "name": name} for i, name in enumerate(class_names, 1)]
    return {"images": listed, "annotations": annotations, "categories": names}
