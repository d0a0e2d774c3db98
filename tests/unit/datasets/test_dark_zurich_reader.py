"""Dark Zurich."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, opened
from PIL import Image

from segadapt.base.errors import SegadaptError


def test_split_may_name_one_time_of_day(tmp_path: Path) -> None:
    BUILDERS["dark_zurich"](tmp_path)
    twilight = tmp_path / "rgb_anon/val/twilight/GOPR1/GOPR1_frame_000001_rgb_anon.png"
    twilight.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((2, 34, 3), np.uint8)).save(twilight)
    night = opened("dark_zurich", tmp_path, "night_val")
    assert {s.name.split("/")[0] for s in night.samples} == {"night"} and len(night) == 2
    assert len(opened("dark_zurich", tmp_path, "val", labelled=False)) == 3
    with pytest.raises(SegadaptError, match=r"dusk_val.*night, twilight, day"):
        opened("dark_zurich", tmp_path, "dusk_val")


def test_labels_are_train_ids(tmp_path: Path) -> None:
    split, expected = BUILDERS["dark_zurich"](tmp_path)
    domain = opened("dark_zurich", tmp_path, split)
    assert np.array_equal(domain.label(0)[:1], expected[:1])
