"""Boxes from YOLO's text files, as which pseudo-labels are written too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.read import read_boxes
from segadapt.data.boxes.yolo import NoBoxes, yolo_text
from segadapt.data.class_map import ClassMap, UnknownIds

TWO = ClassSet("two", ("vehicle", "person"), ((0, 0, 142), (220, 20, 60)), boxes=True)
BY_ID = ClassMap(TWO, {2: 0, 5: 0, 0: 1, 9: 255})
SIZE = (40, 60)


def read(folder: Path, text: str, class_map: ClassMap = BY_ID) -> np.ndarray:
    path = folder / "a.txt"
    path.write_text(text)
    return read_boxes(path, class_map, SIZE)


def test_shares_become_pixels_and_ids_classes(tmp_path: Path) -> None:
    text = "2 0.5 0.5 0.5 0.25\n\n 0 0.1 0.9 0.2 0.4 \n9 .5 .5 .1 .1\r\n5.0 0.5 0.5 1e0 1\n"
    np.testing.assert_allclose(
        read(tmp_path, text),
        np.array([[15, 15, 45, 25, 0, 0], [0, 28, 12, 40, 1, 0], [0, 0, 60, 40, 0, 0]]),
        atol=1e-5,
    )


def test_an_empty_file_and_one_that_need_not_be_there_have_no_boxes(tmp_path: Path) -> None:
    assert read(tmp_path, "").shape == (0, 6)
    absent = NoBoxes(tmp_path / "b.txt")
    assert read_boxes(absent, BY_ID, SIZE).shape == (0, 6)
    assert absent.is_file() and absent.size() == 0 and str(absent) == str(tmp_path / "b.txt")
    assert (absent.name, absent.stem, absent.suffix) == ("b.txt", "b", ".txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 0.5 0.5 0.5\n", "line 1 is '2 0.5 0.5 0.5'"),
        ("2 0.5 0.5 0.5 0.5\n2 .1 .1 .2 .2 .3 .3\n", "line 2 is"),
        ("car 0.5 0.5 0.5 0.5\n", "class cx cy w h"),
        ("1.5 0.5 0.5 0.5 0.5\n", "a whole number"),
        ("nan 0.5 0.5 0.5 0.5\n", "a whole number"),
        ("2 30 20 10 10\n", "divide pixels"),
        ("2 inf 0.5 0.5 0.5\n", "divide pixels"),
    ],
)
def test_a_malformed_line_is_one_clear_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SegadaptError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "a.txt") in str(error.value)


def test_an_unknown_class_no_text_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    for stored in ("7", "-1", "99999"):
        with pytest.raises(UnknownIds, match=f"label id {stored} is not in the class map 'two'"):
            read(tmp_path, f"{stored} 0.5 0.5 0.5 0.5")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe2 0.5")
    with pytest.raises(SegadaptError, match="no text in UTF-8"):
        read_boxes(tmp_path / "b.txt", BY_ID, SIZE)
    with pytest.raises(SegadaptError, match="no such file of boxes"):
        read_boxes(tmp_path / "c.txt", BY_ID, SIZE)


def test_boxes_are_cut_at_the_edges_and_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    text = "2 1 1 0.5 0.5\n2 nan 0.5 0.5 0.5\n2 0.5 0.5 0 0.5\n2 1.5 0.5 0.5 0.5\n2 .5 .5 -.1 .1\n"
    np.testing.assert_array_equal(read(tmp_path, text), [[45, 30, 60, 40, 0, 0]])


def test_written_boxes_are_read_to_a_thousandth_of_a_pixel(tmp_path: Path) -> None:
    boxes = np.array([[1 / 3, 2.7, 59.99, 39.01, 1], [10, 10, 20, 20, 0]])
    identity = ClassMap(TWO, {0: 0, 1: 1, 255: 255})
    found = read(tmp_path, yolo_text(boxes, SIZE), identity)
    np.testing.assert_allclose(found[:, :5], boxes, atol=1e-3)
    assert yolo_text(boxes[:0], SIZE) == ""
