"""GTA5."""

from __future__ import annotations

from pathlib import Path

import pytest
from miniatures import BUILDERS, OFFICIAL_NAMES, names_of_ids, opened

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import gta5


def test_every_official_id_has_its_official_name() -> None:
    for class_map in gta5.CLASS_MAPS.values():
        known = {i: n for i, n in OFFICIAL_NAMES.items() if n in class_map.classes.names}
        assert names_of_ids(class_map) == known
        assert set(class_map.ids) == {*range(34), 255, 34}


def test_all_is_the_only_split(tmp_path: Path) -> None:
    BUILDERS["gta5"](tmp_path)
    with pytest.raises(SegadaptError, match=r"gta5: has no split 'train'.*'all'"):
        opened("gta5", tmp_path, "train")
