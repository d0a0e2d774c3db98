"""COCO's JSON files: the boxes of all images of a split in one."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError
from segadapt.data.arrays import ArrayPath
from segadapt.data.boxes.array import box_array, require_size
from segadapt.data.boxes.content import text
from segadapt.data.class_map import ClassMap, map_name
from segadapt.data.paths import FilePath
from segadapt.losses.segmentation import IGNORE


class CocoPath(ArrayPath):
    """The boxes of one image in a COCO file, used like a file of their own.

    ``image`` is the image's path below the folder of images, with forward slashes.
    """

    def __init__(self, file: Path, image: str) -> None:
        super().__init__(file, _no_array, image, 0)

    def __str__(self) -> str:
        return f"{self.file}[{self.image}]"

    @property
    def image(self) -> str:
        """Path of the image below the folder of images."""
        return self.key

    @property
    def name(self) -> str:
        """Name of the image's file."""
        return PurePosixPath(self.key).name

    @property
    def stem(self) -> str:
        """The same without its suffix."""
        return PurePosixPath(self.key).stem

    @property
    def suffix(self) -> str:
        """That of the file that it is in."""
        return ".json"

    def is_file(self) -> bool:
        """Whether the file is there and lists the image.

        Raises:
            SegadaptError: the file is malformed.
        """
        return self.file.is_file() and coco_file(self.file).find(self.image) is not None

    def open(self) -> IO[bytes]:
        """What the file says about this image alone."""
        found = coco_file(self.file).find(self.image)
        if found is None:
            raise FileNotFoundError(f"{self.file} does not list {self.image}")
        told = {"size": found.size, "boxes": found.boxes}
        return io.BytesIO(json.dumps(told).encode())


def _no_array(file: Path, key: str) -> NDArray[np.uint8]:
    raise SegadaptError(f"{file}: holds boxes, and no pictures")


@dataclass(frozen=True)
class CocoImage:
    """One image of a file: (height, width) or zeros, and its boxes.

    A box is its left, top, width and height, the name of its class, and whether it is a crowd.
    """

    name: str
    size: tuple[int, int]
    boxes: list[tuple[float, float, float, float, str, bool]]


@dataclass(frozen=True)
class CocoFile:
    """The images of a file by their names, and by ends of these that no other has."""

    images: dict[str, CocoImage]
    by_end: dict[str, CocoImage | None]

    def find(self, image: str) -> CocoImage | None:
        """What is said about an image, by its path below the folder of images."""
        return self.images.get(image) or self.by_end.get(image)


def coco_file(file: Path) -> CocoFile:
    """A COCO file, read once per process and state of the file.

    Raises:
        SegadaptError: it is missing or malformed.
    """
    try:
        state = file.stat()
    except OSError as error:
        raise SegadaptError(f"{file}: there is no such file of boxes") from error
    return _content(file, state.st_mtime_ns, state.st_size)


def read_coco(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image, as they are stored, without those of classes mapped to 255.

    Crowds are ignored.

    Raises:
        SegadaptError: the file is missing or malformed, does not list the image, gives it another
            size, or has a class that the map has not.
    """
    if not isinstance(path, CocoPath):
        raise SegadaptError(f"{path}: is no part of a COCO file; use the dataset 'coco'")
    found = coco_file(path.file).find(path.image)
    if found is None:
        raise SegadaptError(
            f"{path.file}: does not list the image {path.image}; add it, without annotations where "
            "it shows nothing, or remove the image"
        )
    require_size(path, found.size, size)
    boxes = []
    for left, top, width, height, name, crowd in found.boxes:
        train = map_name(name, class_map, path)
        if train != IGNORE:
            boxes.append((left, top, left + width, top + height, train, crowd))
    return box_array(boxes)


@lru_cache(maxsize=8)
def _content(file: Path, changed: int, size: int) -> CocoFile:
    try:
        values = json.loads(text(file))
    except (ValueError, RecursionError) as error:
        raise SegadaptError(f"{file}: is no JSON that can be read ({error})") from error
    names = {
        _key(file, x, "id", "categories", i): _text(file, x, "name", "categories", i)
        for i, x in enumerate(_items(file, values, "categories"))
    }
    by_id: dict[int | str, CocoImage] = {}
    images: dict[str, CocoImage] = {}
    for i, item in enumerate(_items(file, values, "images")):
        key = _key(file, item, "id", "images", i)
        name = _text(file, item, "file_name", "images", i).replace("\\", "/").removeprefix("./")
        if key in by_id or name in images:
            what = f"id {key!r:.40}" if key in by_id else f"file_name {name!r:.60}"
            raise SegadaptError(f"{file}: images[{i}] has the {what} of another; each has its own")
        told = item.get("height", 0), item.get("width", 0)
        if not all(type(side) in (int, float) and 0 <= side < 2**31 for side in told):
            raise SegadaptError(f"{file}: images[{i}] is {told!r:.60} (height, width) large")
        by_id[key] = images[name] = CocoImage(name, (int(told[0]), int(told[1])), [])
    for i, item in enumerate(_items(file, values, "annotations")):
        image = by_id.get(_key(file, item, "image_id", "annotations", i))
        category = _key(file, item, "category_id", "annotations", i)
        if image is None or category not in names:
            what = (
                f"image_id {item['image_id']!r:.40}"
                if image is None
                else (f"category_id {category!r:.40}")
            )
            raise SegadaptError(
                f"{file}: annotations[{i}] has the {what}, which the file does not list; add it, "
                "or remove the annotation"
            )
        left, top, width, height = _box(file, item, i)
        crowd = item.get("iscrowd", 0)
        if crowd not in (0, 1):
            raise SegadaptError(
                f"{file}: annotations[{i}].iscrowd is {crowd!r:.40}, where 0 or 1 is expected"
            )
        image.boxes.append((left, top, width, height, names[category], bool(crowd)))
    return CocoFile(images, _by_end(images))


def _by_end(images: dict[str, CocoImage]) -> dict[str, CocoImage | None]:
    found: dict[str, CocoImage | None] = {}
    for name, image in images.items():
        parts = name.split("/")
        for start in range(1, len(parts)):
            end = "/".join(parts[start:])
            found[end] = None if end in found else image
    return found


def _items(file: Path, values: Any, key: str) -> list[dict[str, Any]]:
    found = values.get(key) if isinstance(values, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SegadaptError(
            f"{file}: has no list {key!r}, as COCO's files have beside 'images', 'annotations' and "
            "'categories'; is it one?"
        )
    return found


def _key(file: Path, item: dict[str, Any], key: str, of: str, number: int) -> int | str:
    found = item.get(key)
    if type(found) is not int and type(found) is not str:
        raise SegadaptError(
            f"{file}: {of}[{number}].{key} is {found!r:.40}, where a whole number is expected"
        )
    return found


def _text(file: Path, item: dict[str, Any], key: str, of: str, number: int) -> str:
    found = item.get(key)
    if not isinstance(found, str) or not found:
        raise SegadaptError(
            f"{file}: {of}[{number}].{key} is {found!r:.40}, where a name is expected"
        )
    return found


def _box(file: Path, item: dict[str, Any], number: int) -> list[float]:
    found = item.get("bbox")
    ok = isinstance(found, list) and len(found) == 4 and all(type(x) in (int, float) for x in found)
    if not isinstance(found, list) or not ok:
        raise SegadaptError(
            f"{file}: annotations[{number}].bbox is {found!r:.60}, where [left, top, width, "
            "height] in pixels is expected"
        )
    try:
        return [float(x) for x in found]
    except OverflowError as error:
        raise SegadaptError(f"{file}: annotations[{number}].bbox is too large") from error
