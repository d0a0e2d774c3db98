"""Synscapes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from miniatures import BUILDERS, OFFICIAL_NAMES, names_of_ids, opened

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import synscapes


def test_every_official_id_has_its_official_name() -> None:
    for class_map in synscapes.CLASS_MAPS.values():
        known = {i: n for i, n in OFFICIAL_NAMES.items() if n in class_map.classes.names}
        assert names_of_ids(class_map) == known
        assert set(class_map.ids) == {*range(34), 255}


def test_all_is_the_only_split(tmp_path: Path) -> None:
    BUILDERS["synscapes"](tmp_path)
    with pytest.raises(SegadaptError, match=r"synscapes: has no split 'train'.*'all'"):
        opened("synscapes", tmp_path, "train")


def test_images_at_full_resolution_beside_the_others_are_left_alone(tmp_path: Path) -> None:
    split, _ = BUILDERS["synscapes"](tmp_path)
    shutil.copytree(tmp_path / "img/rgb", tmp_path / "img/rgb-2k")
    assert [sample.name for sample in opened("synscapes", tmp_path, split).samples] == ["10", "2"]
