"""YOLO's text files: ``class cx cy w h`` in a line, in shares of the image's width and height."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError
from segadapt.data.arrays import ArrayPath
from segadapt.data.boxes.array import Box, box_array
from segadapt.data.boxes.content import text
from segadapt.data.class_map import ClassMap, map_ids
from segadapt.data.paths import DataPath, FilePath
from segadapt.losses.segmentation import IGNORE

MOST = 2.0
"""Shares above it are none, but pixels."""


class NoBoxes(ArrayPath):
    """The file of an image without boxes, which need not exist; used like an empty file."""

    def __init__(self, file: DataPath) -> None:
        super().__init__(file if isinstance(file, Path) else file.unpacked, _no_array, "", 0)

    def __str__(self) -> str:
        return str(self.file)

    @property
    def name(self) -> str:
        """Of the file that is not there."""
        return self.file.name

    @property
    def stem(self) -> str:
        """The same without its suffix."""
        return self.file.stem

    @property
    def suffix(self) -> str:
        """That of YOLO's files."""
        return ".txt"

    def is_file(self) -> bool:
        """It stands for one."""
        return True

    def size(self) -> int:
        """None at all."""
        return 0

    def open(self) -> IO[bytes]:
        """An empty file."""
        return io.BytesIO()


def _no_array(file: Path, key: str) -> NDArray[np.uint8]:
    raise SegadaptError(f"{file}: holds boxes, and no pictures")


def read_yolo(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image, as they are stored, without those of classes mapped to 255.

    Raises:
        SegadaptError: the file is missing, a line is no box, or of a class that the map has not.
    """
    return box_array(_boxes(path, class_map, size))


def _boxes(path: FilePath, class_map: ClassMap, size: tuple[int, int]) -> Iterator[Box]:
    height, width = size
    for number, line in enumerate(text(path).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        values = _numbers(words)
        if values is None:
            raise SegadaptError(
                f"{path}: line {number} is {line!r:.60}, and should be 'class cx cy w h', a whole "
                "number and four shares of the image's width and height"
            )
        stored, cx, cy, w, h = values
        if max(abs(x) for x in (cx, cy, w, h)) > MOST:
            raise SegadaptError(
                f"{path}: line {number} is {line!r:.60}, with more than {MOST:g} where there are "
                "shares of the image's width and height, of 0 to 1; divide pixels by these"
            )
        train = int(map_ids(np.array([int(stored)]), class_map, path)[0])
        if train != IGNORE:
            yield (
                *((cx - w / 2) * width, (cy - h / 2) * height),
                *((cx + w / 2) * width, (cy + h / 2) * height),
                *(train, False),
            )


def _numbers(words: list[str]) -> list[float] | None:
    try:
        values = [float(word) for word in words]
    except ValueError:
        return None
    whole = len(values) == 5 and values[0].is_integer() and abs(values[0]) < 2**31
    return values if whole else None


def yolo_text(boxes: NDArray[np.floating], size: tuple[int, int]) -> str:
    """Boxes as YOLO stores them, one a line; that they are ignored it cannot say.

    Args:
        boxes: (M, 5 or more): left, top, right, bottom in pixels, class id.
        size: (height, width) of the image.
    """
    height, width = size
    lines = []
    for left, top, right, bottom, label in np.asarray(boxes, np.float64)[:, :5]:
        cx, cy = (left + right) / 2 / width, (top + bottom) / 2 / height
        w, h = (right - left) / width, (bottom - top) / height
        lines.append(f"{int(label)} {cx:.8f} {cy:.8f} {w:.8f} {h:.8f}\n")
    return "".join(lines)
