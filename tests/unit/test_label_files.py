"""Label files of every kind that people have: each is read as it is meant, or refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.class_file import read_class_file
from segadapt.data.class_map import ClassMap
from segadapt.data.label_files import read_label

ROAD, CAR, SKY, VOID = (128, 64, 128), (0, 0, 142), (70, 130, 180), (0, 0, 0)
TRAIN = np.array([[0, 1, 2], [255, 1, 0]], np.uint8)
COLOURS = {0: ROAD, 1: CAR, 2: SKY, 255: VOID}
IDS = {0: 7, 1: 300, 2: 23, 255: 65535}
CLASSES = """
classes:
  - {name: road, colour: [128, 64, 128], ids: [0, 7]}
  - {name: car, colour: [0, 0, 142], ids: [1, 13, 300]}
  - {name: sky, colour: [70, 130, 180], ids: [2, 23]}
"""


@pytest.fixture
def classes(tmp_path: Path) -> ClassMap:
    (tmp_path / "classes.yaml").write_text(CLASSES)
    return read_class_file(tmp_path)


def stored(table: dict[int, Any], dtype: type = np.uint8) -> np.ndarray:
    return np.array([[table[int(i)] for i in row] for row in TRAIN], dtype)


def png16(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits by hand: Pillow writes none of several channels."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    kind = {2: 4, 3: 2, 4: 6}[channels]

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def in_colours(path: Path) -> None:
    Image.fromarray(stored(COLOURS)).save(path)


def in_colours_with_alpha(path: Path) -> None:
    solid = np.full((*TRAIN.shape, 1), 255, np.uint8)
    Image.fromarray(np.concatenate([stored(COLOURS), solid], axis=-1)).save(path)


def void_is_transparent(path: Path) -> None:
    colours = stored(COLOURS | {255: ROAD})
    solid = np.where(TRAIN == 255, 0, 255).astype(np.uint8)[..., None]
    Image.fromarray(np.concatenate([colours, solid], axis=-1)).save(path)


def ids_in_red(path: Path) -> None:
    rgb = np.zeros((*TRAIN.shape, 3), np.uint8)
    rgb[..., 0] = stored({0: 7, 1: 13, 2: 23, 255: 255})
    Image.fromarray(rgb).save(path)


def grey_as_rgb(path: Path) -> None:
    grey = stored({0: 7, 1: 13, 2: 23, 255: 255})
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(path)


def grey_with_alpha(path: Path) -> None:
    grey = Image.fromarray(stored({0: 7, 1: 13, 2: 23, 255: 255})).convert("LA")
    grey.save(path)


def ids_of_16_bits(path: Path) -> None:
    Image.fromarray(stored(IDS, np.uint16)).save(path)


def two_channels_of_16_bits(path: Path) -> None:
    ids = stored(IDS, np.uint16)
    path.write_bytes(png16(np.stack([ids, np.full_like(ids, 65535)], axis=-1)))


def three_channels_of_16_bits(path: Path) -> None:
    ids = stored(IDS, np.uint16)
    path.write_bytes(png16(np.stack([ids, np.arange(6).reshape(2, 3), ids * 0], axis=-1)))


def palette_of_ids(path: Path) -> None:
    picture = Image.fromarray(stored({0: 7, 1: 13, 2: 23, 255: 255}))
    picture.putpalette(bytes(range(255, -1, -1)) * 3)
    picture.save(path)


def palette_as_a_program_counted_it(path: Path) -> None:
    """Indices are no ids, but the colours are those of the classes."""
    picture = Image.fromarray(stored({0: 9, 1: 10, 2: 11, 255: 12}))
    palette = bytearray(768)
    for index, colour in zip((9, 10, 11, 12), (ROAD, CAR, SKY, VOID), strict=True):
        palette[3 * index : 3 * index + 3] = bytes(colour)
    picture.putpalette(bytes(palette))
    picture.save(path)


@pytest.mark.parametrize(
    "write",
    [
        in_colours,
        in_colours_with_alpha,
        void_is_transparent,
        ids_in_red,
        grey_as_rgb,
        grey_with_alpha,
        ids_of_16_bits,
        two_channels_of_16_bits,
        three_channels_of_16_bits,
        palette_of_ids,
        palette_as_a_program_counted_it,
    ],
)
def test_it_is_read_as_it_is_meant(
    classes: ClassMap, tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "label.png")
    found = read_label(tmp_path / "label.png", classes)
    assert found.dtype == np.uint8 and np.array_equal(found, TRAIN)


def test_one_bit_is_class_0_and_1(classes: ClassMap, tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1").save(tmp_path / "a.png")
    assert read_label(tmp_path / "a.png", classes).tolist() == [[0, 1, 0]]


def unknown_colour(path: Path) -> None:
    pixels = stored(COLOURS)
    pixels[0, 0], pixels[0, 1], pixels[1, 1] = (1, 2, 3), (9, 9, 9), (1, 2, 3)
    Image.fromarray(pixels).save(path)


def palette_that_says_two_things(path: Path) -> None:
    picture = Image.fromarray(stored({0: 13, 1: 7, 2: 23, 255: 255}))
    palette = bytearray(768)
    for index, colour in zip((13, 7, 23, 255), (ROAD, CAR, SKY, VOID), strict=True):
        palette[3 * index : 3 * index + 3] = bytes(colour)
    picture.putpalette(bytes(palette))
    picture.save(path)


def floats(path: Path) -> None:
    Image.fromarray(TRAIN.astype(np.float32)).save(path, format="TIFF")


def jpeg(path: Path) -> None:
    Image.fromarray(TRAIN).save(path, format="JPEG")


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (unknown_colour, r"has 2 colours that no class .*\(1, 2, 3\) at 2 pixels, \(9, 9, 9\)"),
        (palette_that_says_two_things, "palette's colours and its palette's indices"),
        (floats, "floating-point"),
        (jpeg, "is a JPEG, whose compression changes class ids"),
    ],
)
def test_it_is_refused_with_the_reason(
    classes: ClassMap, tmp_path: Path, write: Callable[[Path], None], sentence: str
) -> None:
    write(tmp_path / "label.png")
    with pytest.raises(SegadaptError, match=sentence):
        read_label(tmp_path / "label.png", classes)


def test_colours_that_two_classes_share_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text(CLASSES.replace("0, 0, 142", "128, 64, 128"))
    in_colours(tmp_path / "label.png")
    with pytest.raises(SegadaptError, match="one channel of class ids"):
        read_label(tmp_path / "label.png", read_class_file(tmp_path))


def test_colours_to_ignore_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text(CLASSES + "ignore_colours: [[255, 255, 255]]\n")
    classes = read_class_file(tmp_path)
    Image.fromarray(stored(COLOURS | {255: (255, 255, 255)})).save(tmp_path / "a.png")
    assert np.array_equal(read_label(tmp_path / "a.png", classes), TRAIN)
    in_colours(tmp_path / "b.png")  # black is now a colour like any other
    with pytest.raises(SegadaptError, match=r"\(0, 0, 0\) at 1 pixel"):
        read_label(tmp_path / "b.png", classes)
