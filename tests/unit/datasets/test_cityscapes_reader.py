"""Cityscapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from miniatures import BUILDERS, OFFICIAL_NAMES, names_of_ids, opened
from PIL import Image

from segadapt.data.datasets import cityscapes


def test_every_official_id_has_its_official_name() -> None:
    for class_map in cityscapes.CLASS_MAPS.values():
        known = {i: n for i, n in OFFICIAL_NAMES.items() if n in class_map.classes.names}
        assert names_of_ids(class_map) == known
        assert set(class_map.ids) == {*range(34), 255}


def test_files_that_are_no_images_of_the_dataset_are_left_out(tmp_path: Path) -> None:
    split, _ = BUILDERS["cityscapes"](tmp_path)
    city = tmp_path / "leftImg8bit/train/ulm"
    (city / "notes.txt").write_text("x")
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(city / "preview.png")
    assert len(opened("cityscapes", tmp_path, split)) == 2
