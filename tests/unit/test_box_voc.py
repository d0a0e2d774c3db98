"""Boxes from Pascal VOC's XML files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.read import read_boxes
from segadapt.data.boxes.voc_text import voc_text
from segadapt.data.class_map import ClassMap, UnknownIds

TWO = ClassSet("two", ("a & b", "person"), ((0, 0, 142), (220, 20, 60)), boxes=True)
BY_NAME = ClassMap(TWO, {}, names={"car": 0, "a & b": 0, "person": 1, "sign": 255})
SIZE = (40, 60)
BOX = "<xmin>1</xmin><ymin>3</ymin><xmax>60</xmax><ymax>40</ymax>"


def thing(name: str, box: str = f"<bndbox>{BOX}</bndbox>", more: str = "") -> str:
    return f"<object><name>{name}</name>{more}{box}</object>"


def voc(inner: str, width: str = "60", height: str = "40") -> str:
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>a.jpg</filename>{size}{inner}</annotation>"


def read(folder: Path, text: str | bytes) -> np.ndarray:
    path = folder / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_boxes(path, BY_NAME, SIZE)


def test_pixels_are_counted_from_one_and_the_last_is_in_the_box(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>5</xmin></bndbox></part>"
    inner = (
        thing("car")
        + thing("sign")
        + thing(
            "person",
            part + "<bndbox><ymin>1</ymin><xmin>2.5</xmin><ymax>9</ymax><xmax>70</xmax></bndbox>",
            "<difficult>1</difficult>",
        )
    )
    np.testing.assert_array_equal(
        read(tmp_path, voc(inner)),
        np.array([[0, 2, 60, 40, 0, 0], [1.5, 0, 60, 9, 1, 1]], np.float32),
    )


def test_no_objects_no_size_and_a_size_of_zero(tmp_path: Path) -> None:
    assert read(tmp_path, voc("")).shape == (0, 6)
    assert read(tmp_path, "<annotation/>").shape == (0, 6)
    assert len(read(tmp_path, voc(thing("car"), "0", "0"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (voc(thing("car"), "40", "60"), "turned by its EXIF data"),
        (voc(thing("car"), "61", "40"), "says that its image is 40x61"),
        (voc("", "wide"), "<width> of size is 'wide'"),
        (voc("", "-3"), "<width> of size is '-3'"),
        (voc("", "inf"), "<width> of size is 'inf'"),
        (voc(thing("")), "object 1 has no <name>"),
        (voc(thing("car", "")), r"object 1 \(car\) has no <bndbox>"),
        (voc(thing("car", "<bndbox/>")), "<xmin> of object 1 is missing"),
        (
            voc(thing("car", f"<bndbox>{BOX.replace('40', 'x')}</bndbox>")),
            "<ymax> of object 1 is 'x'",
        ),
        (voc(thing("car", more="<difficult>maybe</difficult>")), "'maybe' as <difficult>"),
        ("<annotation>", "is no XML"),
        ("", "is no XML"),
        ("<boxes/>", "is <boxes>"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotation/>', "document type or entities"),
        ('<!doctype a SYSTEM "file:///etc/passwd"><annotation/>', "document type or entities"),
        (voc("").encode("utf-16"), "is no XML in UTF-8"),
        (b"<?xml version='1.0' encoding='nope'?><annotation/>", "is no XML"),
    ],
)
def test_a_malformed_file_is_one_clear_sentence(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(SegadaptError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "a.xml") in str(error.value)


def test_an_unknown_class_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnknownIds, match=r"class 'cow' is not in the class map 'two'"):
        read(tmp_path, voc(thing("cow")))
    with pytest.raises(SegadaptError, match="no such file of boxes"):
        read_boxes(tmp_path / "b.xml", BY_NAME, SIZE)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    boxes = np.array([[0, 0, 60, 40, 0, 0], [3, 4, 5, 6, 1, 1]], np.float32)
    np.testing.assert_array_equal(read(tmp_path, voc_text(boxes, TWO.names, SIZE)), boxes)
    assert read(tmp_path, voc_text(boxes[:0], TWO.names, SIZE)).shape == (0, 6)
