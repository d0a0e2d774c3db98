"""Foggy Cityscapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from miniatures import BUILDERS, OFFICIAL_NAMES, names_of_ids, opened
from PIL import Image

from segadapt.data.datasets import foggy_cityscapes


def test_every_official_id_has_its_official_name() -> None:
    for class_map in foggy_cityscapes.CLASS_MAPS.values():
        known = {i: n for i, n in OFFICIAL_NAMES.items() if n in class_map.classes.names}
        assert names_of_ids(class_map) == known
        assert set(class_map.ids) == {*range(34), 255}


def test_split_says_how_thick_the_fog_is(tmp_path: Path) -> None:
    BUILDERS["foggy_cityscapes"](tmp_path / "fog")
    name = tmp_path / "fog/leftImg8bit_foggy/val/ulm/ulm_000001_000019_leftImg8bit_foggy_beta_"
    for beta in ("0.005", "0.01", "0.02"):
        path = Path(f"{name}{beta}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(path)
    thin = opened("foggy_cityscapes", tmp_path / "fog", "val_beta_0.005", labelled=False)
    thick = opened("foggy_cityscapes", tmp_path / "fog", "val", labelled=False)
    assert [s.name for s in thin.samples] == [s.name for s in thick.samples]
    assert thin.samples[0].image.name.endswith("beta_0.005.png")
    assert thick.samples[0].image.name.endswith("beta_0.02.png")
