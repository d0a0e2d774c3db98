"""Boxes as pseudo-labels: thresholds of classes, the file that they are in, and their places."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segadapt.base.classes import ClassSet
from segadapt.data.boxes.array import box_array
from segadapt.data.boxes.coco_written import ImageBoxes, coco_content
from segadapt.data.boxes.predicted import with_predicted_boxes
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain, Sample
from segadapt.models.boxes import Grid, at_places
from segadapt.split.box_thresholds import class_thresholds


def test_the_surest_portion_of_each_class_is_kept_and_all_above_the_cap() -> None:
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.3, 0.2, 0.15, 0.12, 0.05, 0.04])
    ids = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    # Class 0: half of four is 0.8, above the cap. Class 1: of the four from 0.1 on two, so 0.2.
    found = class_thresholds(scores, ids, 3, portion=0.5, least=0.1, cap=0.75)
    assert found == pytest.approx([0.75, 0.2, 0.75])
    # At least one box of a class is kept, however small the portion.
    found = class_thresholds(scores, ids, 2, portion=0.01, least=0.1, cap=1.0)
    assert found == pytest.approx([0.9, 0.3])


def test_written_boxes_are_read_as_they_were(tmp_path: Path) -> None:
    classes = ClassSet("two", ("car", "person"), ((0, 0, 1), (1, 0, 0)), boxes=True)
    boxes = {
        "a/b": box_array([(1.5, 2, 30.25, 40, 1, False), (3, 4, 9, 9, 0, True)]),
        "c": box_array([]),
    }
    samples = []
    for name in boxes:
        file = tmp_path / f"{name.replace('/', '-')}.png"
        Image.new("RGB", (60, 50)).save(file)
        samples.append(Sample(name, file))
    images = [ImageBoxes(name, (50, 60), value) for name, value in boxes.items()]
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(coco_content(images, classes.names)))
    domain = Domain("found", tuple(samples), ClassMap(classes, {}), (25, 30), labelled=False)
    found = with_predicted_boxes(domain, file)
    for index, value in enumerate(boxes.values()):
        np.testing.assert_array_equal(found.label(index), value)


def test_largest_value_of_each_place_is_that_of_any_anchor_of_any_grid() -> None:
    grids = (Grid(2, 2, 2), Grid(1, 1, 1))
    #      place: (0, 0)    (0, 1)    (1, 0)    (1, 1)    the one of the second grid
    values = torch.tensor([[0.1, 0.9, 0.2, 0.3, 0.0, 0.0, 0.6, 0.1, 0.25]])
    found = at_places(values, grids, (4, 4))
    corner = torch.tensor([[0.9, 0.3], [0.25, 0.6]])
    expected = corner.repeat_interleave(2, dim=0).repeat_interleave(2, dim=1)
    torch.testing.assert_close(found, expected[None])
