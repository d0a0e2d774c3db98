"""Boxes of Cityscapes' instance pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.read import read_boxes
from segadapt.data.class_map import UnknownIds
from segadapt.data.datasets.cityscapes_boxes import CLASS_MAPS

MAP = CLASS_MAPS["cityscapes_things8"]


def saved(folder: Path, ids: np.ndarray) -> Path:
    path = folder / "a_gtFine_instanceIds.png"
    Image.fromarray(ids.astype(np.uint16)).save(path)
    return path


def picture() -> np.ndarray:
    ids = np.full((20, 30), 7)
    ids[2:5, 3:9] = 26000  # a car, partly hidden by a person and in two pieces
    ids[1:6, 5:7] = 24001
    ids[10:12, 0:4] = 26  # cars that cannot be told apart
    ids[19, 29] = 33012  # a bicycle of one pixel in the corner
    ids[15, 10:15] = 29000  # a caravan, not evaluated
    ids[16, 10:15] = 65535  # a licence plate
    return ids


def test_a_box_is_the_extent_of_an_instance_and_a_group_is_ignored(tmp_path: Path) -> None:
    found = read_boxes(saved(tmp_path, picture()), MAP, (20, 30))
    expected = np.array(
        [
            [0, 10, 4, 12, 2, 1],
            [5, 1, 7, 6, 0, 0],
            [3, 2, 9, 5, 2, 0],
            [29, 19, 30, 20, 7, 0],
        ],
        np.float32,
    )
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_a_picture_without_things_has_no_boxes(tmp_path: Path) -> None:
    assert read_boxes(saved(tmp_path, np.full((20, 30), 11)), MAP, (20, 30)).shape == (0, 6)


def test_classes_are_in_the_order_that_is_published() -> None:
    assert MAP.classes.names == (
        *("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
    )
    assert MAP.classes.boxes


def test_unknown_classes_another_size_and_damage_are_errors(tmp_path: Path) -> None:
    path = saved(tmp_path, picture())
    with pytest.raises(SegadaptError, match="says that its image is 20x30"):
        read_boxes(path, MAP, (40, 60))
    with pytest.raises(UnknownIds, match="label id 40 is not"):
        read_boxes(saved(tmp_path, np.full((20, 30), 40001)), MAP, (20, 30))
    path.write_bytes(b"none")
    with pytest.raises(SegadaptError):
        read_boxes(path, MAP, (20, 30))
    with pytest.raises(SegadaptError, match="no form of boxes"):
        read_boxes(tmp_path / "a.csv", MAP, (20, 30))
