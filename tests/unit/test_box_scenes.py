"""Boxes of the drawn scenes: around what is seen, and without moving a pixel of these."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from segadapt.config import DomainConfig
from segadapt.data.listing import open_domain
from segadapt.data.scenes import Domain, draw_scene
from segadapt.data.scenes.canvas import MAX_OBJECTS, Canvas, View
from segadapt.data.scenes.things import THINGS, boxes_of
from segadapt.stages.draw.job import Job, draw
from segadapt.stages.draw.splits import SPLITS

SMALL = (112, 160)
BEFORE: dict[Domain, str] = {
    "rendered": "d18b0cc1d7f149e0c0c686c810134793aac7bdd5ad0773b75dbd86acbd2c12c0",
    "camera": "d1ce42b7b222371af1563f8396b6d640264ab809c392a865f50c29ebdf49ae65",
}
"""Of images and labels of seeds 0 to 11, before there were boxes."""


@pytest.mark.parametrize("domain", ["rendered", "camera"])
def test_boxes_move_no_pixel_and_hold_all_of_their_classes(domain: Domain) -> None:
    digest = hashlib.sha256()
    for seed in range(12):
        scene = draw_scene(domain, seed, SMALL)
        digest.update(scene.image.tobytes() + scene.label.tobytes())
        assert scene.boxes.dtype == np.float32
        covered = np.zeros(SMALL, bool)
        for left, top, right, bottom, label, ignored in scene.boxes.astype(int).tolist():
            inside = scene.label[top:bottom, left:right] == THINGS[label]
            for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert edge.any()
            assert ignored or min(right - left, bottom - top) >= 4
            covered[top:bottom, left:right] = True
        assert covered[np.isin(scene.label, THINGS)].all()
    assert digest.hexdigest() == BEFORE[domain]


def test_a_box_is_the_extent_of_what_is_seen() -> None:
    number = np.zeros((10, 12), np.uint8)
    number[1:6, 2:8] = 1
    number[3:9, 5:10] = 2
    number[9, 0:6] = 3
    found = boxes_of(number, [0, 8, 9, 10, 8], {2})
    expected = [[2, 1, 8, 6, 0, 0], [5, 3, 10, 9, 1, 1], [0, 9, 6, 10, 2, 1]]
    assert found.tolist() == expected
    assert boxes_of(number * 0, [0], ()).shape == (0, 6)


def test_things_that_share_a_number_are_known() -> None:
    canvas = Canvas(View(8, 8, 8.0, 4.0, 4.0, 1.5))
    numbers = [canvas.new(8, float(i)) for i in range(MAX_OBJECTS)]
    assert canvas.shared == set() and len(set(numbers)) == MAX_OBJECTS
    assert canvas.new(8, 7.2) == 7 and canvas.shared == {7}
    assert canvas.new(9, 3.0) == MAX_OBJECTS - 1 and canvas.shared == {7, MAX_OBJECTS - 1}


def test_a_condition_is_as_asked_for() -> None:
    assert {draw_scene("camera", s, (32, 48), "fog").condition for s in range(4)} == {"fog"}
    assert draw_scene("camera", 1, (32, 48), "clear").condition == "clear"
    for domain, condition in (("camera", "snow"), ("rendered", "fog")):
        with pytest.raises(ValueError, match="no condition"):
            draw_scene(domain, 0, (32, 48), condition)  # type: ignore[arg-type]


@pytest.mark.parametrize("split", ["rendered", "fog_val"])
def test_what_the_stage_draws_is_a_domain_of_boxes(tmp_path: Path, split: str) -> None:
    domain, condition = SPLITS[split]  # type: ignore[index]
    for number in range(2):
        draw(Job(tmp_path, split, number, 5 + number, SMALL))  # type: ignore[arg-type]
    config = DomainConfig(role="source", dataset="scenes_boxes", split=split)
    found = open_domain(config, tmp_path, True, "domain 'x'")
    assert found.classes.names == ("vehicle", "person", "two-wheeler")
    assert found.warnings == ()
    for number in range(2):
        scene = draw_scene(domain, 5 + number, SMALL, condition)
        np.testing.assert_array_equal(found.label(number), scene.boxes)
        np.testing.assert_array_equal(found.image(number), scene.image)


def test_new_splits_come_after_the_old_ones_whose_seeds_stay() -> None:
    assert list(SPLITS)[:3] == ["rendered", "camera_train", "camera_val"]
