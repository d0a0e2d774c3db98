"""ACDC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, OFFICIAL_NAMES, names_of_ids, opened
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import acdc


def test_every_official_id_has_its_official_name() -> None:
    for class_map in acdc.CLASS_MAPS.values():
        known = {i: n for i, n in OFFICIAL_NAMES.items() if n in class_map.classes.names}
        assert names_of_ids(class_map) == known
        assert set(class_map.ids) == {*range(34), 255}


def test_split_may_name_one_condition(tmp_path: Path) -> None:
    BUILDERS["acdc"](tmp_path)
    night = opened("acdc", tmp_path, "night_train")
    assert [s.name.split("/")[0] for s in night.samples] == ["night"]
    with pytest.raises(SegadaptError, match=r"dusk_train.*fog, night, rain, snow"):
        opened("acdc", tmp_path, "dusk_train")


def test_reference_images_in_fair_weather_are_left_out(tmp_path: Path) -> None:
    split, _ = BUILDERS["acdc"](tmp_path)
    reference = tmp_path / "rgb_anon/fog/train/GOPR0475/GOPR0475_frame_000041_rgb_ref_anon.png"
    Image.fromarray(np.zeros((2, 34, 3), np.uint8)).save(reference)
    assert len(opened("acdc", tmp_path, split)) == 2
