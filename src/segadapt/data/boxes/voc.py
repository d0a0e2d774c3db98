"""Pascal VOC's XML files: one an image, with ``object`` elements of a name and a ``bndbox``."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.array import Box, box_array, require_size
from segadapt.data.boxes.content import content
from segadapt.data.boxes.voc_text import CORNERS
from segadapt.data.class_map import ClassMap, map_name
from segadapt.data.paths import FilePath
from segadapt.losses.segmentation import IGNORE

REFUSED = (b"<!doctype", b"<!entity")
"""What makes an XML file refer to others, or unfold to one without end."""


def read_voc(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image, as they are stored, without those of classes mapped to 255.

    VOC counts pixels from 1, and a box's last pixel is in it: the left edge of the first is 0 here.
    Objects that are ``difficult`` are ignored.

    Raises:
        SegadaptError: the file is missing or malformed, has a document type or entities, is about
            an image of another size, or has a class that the map has not.
    """
    root = _parsed(path)
    told = root.find("size")
    if told is not None:
        height, width = (_number(path, told, key, "size") for key in ("height", "width"))
        require_size(path, (int(height), int(width)), size)
    return box_array(_boxes(path, root, class_map))


def _boxes(path: FilePath, root: ElementTree.Element, class_map: ClassMap) -> Iterator[Box]:
    for number, item in enumerate(root.iterfind("object"), 1):
        name = (item.findtext("name") or "").strip()
        where = f"object {number}"
        if not name:
            raise SegadaptError(f"{path}: {where} has no <name>; give it its class's")
        train = map_name(name, class_map, path)
        if train == IGNORE:
            continue
        corners = item.find("bndbox")
        if corners is None:
            raise SegadaptError(
                f"{path}: {where} ({name}) has no <bndbox>; give it one with {', '.join(CORNERS)}"
            )
        left, top, right, bottom = (_number(path, corners, key, where) for key in CORNERS)
        difficult = (item.findtext("difficult") or "0").strip()
        if difficult not in ("0", "1"):
            raise SegadaptError(
                f"{path}: {where} ({name}) has {difficult!r:.40} as <difficult>, which is 0 or 1"
            )
        yield left - 1, top - 1, right, bottom, train, difficult == "1"


def _number(path: FilePath, parent: ElementTree.Element, key: str, where: str) -> float:
    found = parent.findtext(key)
    try:
        value = float(found or "")
    except ValueError:
        told = "is missing" if found is None else f"is {found!r:.40}"
        raise SegadaptError(
            f"{path}: <{key}> of {where} {told}, where a number of pixels is expected"
        ) from None
    if parent.tag == "size" and not (value.is_integer() and 0 <= value < 2**31):
        raise SegadaptError(f"{path}: <{key}> of {where} is {found!r:.40}, which no image has")
    return value


def _parsed(path: FilePath) -> ElementTree.Element:
    found = content(path)
    # In UTF-16 and its like what is refused would not be found.
    if b"\0" in found:
        raise SegadaptError(f"{path}: is no XML in UTF-8; save it as such")
    lower = found.lower()
    if any(word in lower for word in REFUSED):
        raise SegadaptError(
            f"{path}: has a document type or entities, which files of boxes need not have and "
            "which may lead to other files; take them out"
        )
    try:
        root = ElementTree.fromstring(found)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise SegadaptError(f"{path}: is no XML that can be read ({error})") from error
    if root.tag != "annotation":
        raise SegadaptError(
            f"{path}: is <{root.tag:.40}>, where Pascal VOC's files are <annotation>; is it one?"
        )
    return root
