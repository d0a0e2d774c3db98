"""Boxes from COCO's JSON files."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.coco import CocoPath
from segadapt.data.boxes.read import read_boxes, stored_boxes
from segadapt.data.class_map import ClassMap, UnknownIds

TWO = ClassSet("two", ("vehicle", "person"), ((0, 0, 142), (220, 20, 60)), boxes=True)
BY_NAME = ClassMap(TWO, {}, names={"car": 0, "bus": 0, "person": 1, "sign": 255})
SIZE = (40, 60)


def content() -> dict[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "height": 40, "width": 60},
            {"id": 8, "file_name": "deep/b.png"},
        ],
        "categories": [
            {"id": 1, "name": "car"},
            {"id": 2, "name": "bus"},
            {"id": 5, "name": "person"},
            {"id": 6, "name": "sign"},
            {"id": 9, "name": "things"},  # listed, and never used
        ],
        "annotations": [
            {"image_id": 7, "category_id": 2, "bbox": [1, 2, 10, 20.5], "iscrowd": 0},
            {"image_id": 7, "category_id": 5, "bbox": [0, 0, 60, 40], "iscrowd": 1},
            {"image_id": 7, "category_id": 6, "bbox": [3, 3, 4, 4]},
            {"image_id": 7, "category_id": 1, "bbox": [-5, 30, 10, 20]},
            {"image_id": 7, "category_id": 1, "bbox": [60, 0, 5, 5]},
            {"image_id": 7, "category_id": 1, "bbox": [5, 5, 0, 5]},
        ],
    }


def written(folder: Path, values: Any) -> Path:
    file = folder / "train.json"
    file.write_text(values if isinstance(values, str) else json.dumps(values))
    return file


def test_boxes_are_read_by_category_name_and_cut_at_the_edges(tmp_path: Path) -> None:
    path = CocoPath(written(tmp_path, content()), "a.png")
    expected = np.array(
        [[1, 2, 11, 22.5, 0, 0], [0, 0, 60, 40, 1, 1], [0, 30, 5, 40, 0, 0]], np.float32
    )
    found = read_boxes(path, BY_NAME, SIZE)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    stored = stored_boxes(path, BY_NAME, SIZE)
    np.testing.assert_array_equal(stored[2:, :4], [[-5, 30, 5, 50], [60, 0, 65, 5], [5, 5, 5, 10]])


def test_an_image_without_annotations_has_an_array_without_rows(tmp_path: Path) -> None:
    file = written(tmp_path, content())
    for image in ("deep/b.png", "b.png"):
        assert read_boxes(CocoPath(file, image), BY_NAME, SIZE).shape == (0, 6)


def test_a_path_into_the_file_is_like_one_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, content())
    path = CocoPath(file, "deep/b.png")
    assert (path.name, path.stem, path.suffix) == ("b.png", "b", ".json")
    assert path.is_file() and not CocoPath(file, "c.png").is_file()
    assert not CocoPath(tmp_path / "val.json", "a.png").is_file()
    assert path.size() == file.stat().st_size
    assert str(path) == f"{file}[deep/b.png]"
    assert pickle.loads(pickle.dumps(path)) == path != CocoPath(file, "a.png")
    with CocoPath(file, "a.png").open() as opened:
        assert json.loads(opened.read())["boxes"][0] == [1.0, 2.0, 10.0, 20.5, "bus", False]
    with pytest.raises(FileNotFoundError):
        CocoPath(file, "c.png").open()


def test_a_file_is_read_again_where_it_changed(tmp_path: Path) -> None:
    values = content()
    path = CocoPath(written(tmp_path, values), "a.png")
    assert len(read_boxes(path, BY_NAME, SIZE)) == 3
    del values["annotations"][0]
    written(tmp_path, values)
    os.utime(path.file, ns=(1, 1))
    assert len(read_boxes(path, BY_NAME, SIZE)) == 2


def test_an_unknown_class_is_an_error_that_names_those_known(tmp_path: Path) -> None:
    values = content()
    values["annotations"][0]["category_id"] = 9
    path = CocoPath(written(tmp_path, values), "a.png")
    with pytest.raises(UnknownIds, match=r"class 'things' is not in .*bus, car, person, sign"):
        read_boxes(path, BY_NAME, SIZE)


def test_an_image_that_is_not_listed_or_of_another_size_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path, content())
    with pytest.raises(SegadaptError, match=r"does not list the image c\.png"):
        read_boxes(CocoPath(file, "c.png"), BY_NAME, SIZE)
    with pytest.raises(SegadaptError, match="turned by its EXIF data"):
        read_boxes(CocoPath(file, "a.png"), BY_NAME, SIZE[::-1])


def changed(*keys: Any, value: Any) -> dict[str, Any]:
    values = content()
    place: Any = values
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has no list 'categories'"),
        (changed("images", value={}), "has no list 'images'"),
        (changed("annotations", value=[3]), "has no list 'annotations'"),
        (changed("images", 0, "id", value=1.5), r"images\[0\].id is 1.5"),
        (changed("images", 0, "id", value=True), r"images\[0\].id is True"),
        (changed("images", 1, "id", value=7), r"images\[1\] has the id 7 of another"),
        (changed("images", 1, "file_name", value="a.png"), "file_name 'a.png' of another"),
        (changed("images", 0, "file_name", value=None), r"images\[0\].file_name is None"),
        (changed("images", 0, "height", value="x"), r"images\[0\] is \('x', 60\)"),
        (changed("categories", 0, "name", value=3), r"categories\[0\].name is 3"),
        (changed("annotations", 0, "image_id", value=99), "image_id 99, which the file does not"),
        (changed("annotations", 0, "category_id", value=99), "category_id 99, which the file"),
        (changed("annotations", 0, "bbox", value=[1, 2, 3]), r"annotations\[0\].bbox is \[1, 2, 3"),
        (changed("annotations", 0, "bbox", value=[1, 2, 3, "4"]), r"annotations\[0\].bbox is"),
        (changed("annotations", 0, "bbox", value=None), r"annotations\[0\].bbox is None"),
        (changed("annotations", 0, "bbox", value=[1, 2, 3, 10**400]), "bbox is too large|no JSON"),
        (changed("annotations", 0, "iscrowd", value="no"), r"annotations\[0\].iscrowd is 'no'"),
    ],
)
def test_a_malformed_file_is_one_clear_sentence(tmp_path: Path, values: Any, message: str) -> None:
    path = CocoPath(written(tmp_path, values), "a.png")
    with pytest.raises(SegadaptError, match=message) as error:
        read_boxes(path, BY_NAME, SIZE)
    assert str(path.file) in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_number_is_left_out_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    values = changed("annotations", 0, "bbox", value=[float("nan"), 2, 3, float("inf")])
    assert len(read_boxes(CocoPath(written(tmp_path, values), "a.png"), BY_NAME, SIZE)) == 2
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(SegadaptError, match="no ordinary file"):
        read_boxes(CocoPath(tmp_path / "pipe.json", "a.png"), BY_NAME, SIZE)
