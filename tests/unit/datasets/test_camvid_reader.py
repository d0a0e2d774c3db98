"""CamVid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, opened
from PIL import Image

from segadapt.base.errors import SegadaptError


def test_sixteen_bit_id_is_not_taken_modulo_256(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path)
    domain = opened("camvid", tmp_path, split)
    Image.fromarray(np.full((2, 12), 257, np.uint16)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"label id 257"):
        domain.label(0)


def test_rgb_label_says_to_convert(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path)
    domain = opened("camvid", tmp_path, split)
    Image.fromarray(np.zeros((2, 12, 3), np.uint8)).save(domain.samples[0].label)
    with pytest.raises(SegadaptError, match=r"one channel.*mode RGB.*convert colours"):
        domain.label(0)


def test_street7_of_camvid_groups_by_meaning(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path)
    domain = opened("camvid", tmp_path, split, classes="street7")
    by_hand = {
        "sky": "sky", "building": "far objects", "pole": "roadside objects", "road": "drivable",
        "pavement": "non-drivable", "tree": "far objects", "sign": "roadside objects",
        "fence": "roadside objects", "car": "vehicles", "pedestrian": "living things",
        "bicyclist": "living things",
    }  # fmt: skip
    names = domain.classes.names
    assert [names[i] for i in domain.label(0)[0, :11]] == list(by_hand.values())
    assert domain.label(0)[0, 11] == 255
