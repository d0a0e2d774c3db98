"""All boxes of a domain that is going to be learned from, looked at before they are."""

from __future__ import annotations

from collections.abc import Iterable

from segadapt.data.boxes.problems import ROUNDED, oddities
from segadapt.data.boxes.read import stored_boxes
from segadapt.data.class_map import ClassMap
from segadapt.data.paths import FilePath
from segadapt.data.transforms import image_size


def survey(pairs: Iterable[tuple[FilePath, FilePath]], class_map: ClassMap) -> list[str]:
    """What is odd about the boxes, a sentence for each kind, with their number and the first.

    Instances of pictures are passed over: they are slow to read, and lie in their image. So are
    boxes that rounding put outside.

    Args:
        pairs: images with the files of their boxes.
        class_map: what stored names and ids mean.

    Raises:
        SegadaptError: a file is missing or malformed, or has a class that the map has not.
    """
    first: dict[str, str] = {}
    number: dict[str, int] = {}
    for image, label in pairs:
        if label.suffix.lower() == ".png":
            continue
        size = image_size(image)
        for kind, box in oddities(
            stored_boxes(label, class_map, size), size, class_map.classes.names
        ):
            if kind != ROUNDED:
                first.setdefault(kind, f"{label}: {box}")
                number[kind] = number.get(kind, 0) + 1
    return [f"{kind}: {number[kind]}, first {told}" for kind, told in first.items()]
