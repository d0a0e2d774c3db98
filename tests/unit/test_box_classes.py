"""``classes.yaml`` of boxes, and class sets that are of boxes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from segadapt.base.classes import CITYSCAPES_19, ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.class_sets import VEHICLE_2
from segadapt.data.class_file import read_box_class_file, read_class_file

ONE = "classes:\n  - {name: car, colour: [0, 0, 142]"


def test_names_are_a_classs_own_where_none_are_given(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text(
        "boxes: true\nclasses:\n"
        "  - {name: vehicle, colour: [0, 0, 142], names: [car, bus], ids: [2, 5], rare: true}\n"
        "  - {name: person, colour: [220, 20, 60]}\n"
        "ignore_names: [sign]\nignore: [9]\n"
    )
    found = read_box_class_file(tmp_path)
    assert found.names == {"sign": 255, "car": 0, "bus": 0, "person": 1}
    assert found.ids == {9: 255, 2: 0, 5: 0}
    assert found.classes.names == ("vehicle", "person")
    assert (found.classes.boxes, found.classes.rare) == (True, (0,))


def test_one_class_is_enough_and_it_need_not_say_that_it_is_of_boxes(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text(f"{ONE}}}\n")
    found = read_box_class_file(tmp_path)
    assert found.names == {"car": 0} and found.classes.boxes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"boxes: false\n{ONE}}}\n", "says 'boxes: false'"),
        (f"{ONE}}}\nignore_names: [car]\n", "'car' is given twice, to ignore_names and to car"),
        (f"{ONE}, names: [a, a]}}\n", "stored name 'a' is given twice, to car and to car"),
        (f"{ONE}, ids: [1, 1]}}\n", "id 1 is given twice"),
        (f"{ONE}, names: car}}\n", "must be a list"),
        (f"{ONE}, nmaes: [car]}}\n", "unknown key; there are name, colour, ids, rare, names"),
        (f"{ONE}}}\nignored: [3]\n", "unknown key; there are boxes, classes"),
        ("boxes: true\nclasses: []\n", "at least 1"),
        (None, "is missing"),
    ],
)
def test_a_malformed_file_is_one_clear_sentence(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(SegadaptError, match=message):
        read_box_class_file(tmp_path)


def test_a_file_of_boxes_is_none_of_pixels(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text(f"boxes: true\n{ONE}, ids: [3]}}\n")
    with pytest.raises(SegadaptError, match="read by the datasets 'coco', 'voc' and 'yolo'"):
        read_class_file(tmp_path)


def test_class_sets_keep_what_they_are_of_through_json() -> None:
    for classes in (VEHICLE_2, CITYSCAPES_19):
        assert ClassSet.from_dict(json.loads(json.dumps(asdict(classes)))) == classes
    old = {key: value for key, value in asdict(CITYSCAPES_19).items() if key != "boxes"}
    assert not ClassSet.from_dict(old).boxes
    with pytest.raises(ValueError, match="not both"):
        ClassSet.from_dict(asdict(VEHICLE_2) | {"whole_image": True})
