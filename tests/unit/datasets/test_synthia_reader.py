"""SYNTHIA-RAND-CITYSCAPES."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, names_of_ids, opened, write_multichannel_png
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.check import check_domain
from segadapt.data.datasets import synthia

# README of SYNTHIA-RAND-CITYSCAPES, without void (0), parking slot (13), road work (14) and lane
# marking (22), which Cityscapes does not score, and terrain (16), truck (18) and train (20).
DESCRIBED = {
    1: "sky", 2: "building", 3: "road", 4: "sidewalk", 5: "fence", 6: "vegetation", 7: "pole",
    8: "car", 9: "traffic sign", 10: "person", 11: "bicycle", 12: "motorcycle",
    15: "traffic light", 17: "rider", 19: "bus", 21: "wall",
}  # fmt: skip


def test_every_id_has_the_class_of_its_description() -> None:
    for class_map in synthia.CLASS_MAPS.values():
        assert names_of_ids(class_map) == DESCRIBED
        assert set(class_map.ids) == {*range(23), 255}


def test_sixteen_bit_label_of_several_channels_is_read_from_its_first(tmp_path: Path) -> None:
    split, _ = BUILDERS["synthia"](tmp_path)
    domain = opened("synthia", tmp_path, split)
    path = domain.samples[0].label
    assert path is not None
    # Pillow keeps the upper eight bits, all zero here: what a reader on top of it would see.
    assert not np.asarray(Image.open(path)).any()
    assert {*np.unique(domain.label(0))} == {*range(19), 255} - {9, 14, 16}
    write_multichannel_png(path, np.full((2, 23), 300))
    with pytest.raises(SegadaptError, match=r"label id 300 is not in the class map"):
        domain.label(0)
    Image.fromarray(np.zeros((2, 23), np.uint8)).save(path)
    with pytest.raises(SegadaptError, match=r"has one channel.*ids in the first"):
        domain.label(0)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SegadaptError, match=r"cannot be decoded"):
        domain.label(0)


def test_labels_of_every_png_filter_are_read(tmp_path: Path) -> None:
    BUILDERS["synthia"](tmp_path)
    domain = opened("synthia", tmp_path, "all")
    path = domain.samples[0].label
    assert path is not None
    stored = np.random.default_rng(0).integers(0, 23, (11, 8))
    write_multichannel_png(path, stored)
    wanted = np.vectorize(lambda i: domain.class_map.ids[i])(stored)
    assert np.array_equal(domain.label(0), wanted)


def test_check_expects_no_class_that_the_data_set_lacks(tmp_path: Path) -> None:
    BUILDERS["synthia"](tmp_path)
    found = check_domain(opened("synthia", tmp_path, "all"))
    assert [name for name, share in found.class_shares.items() if share == 0] == [
        "terrain", "truck", "train",
    ]  # fmt: skip
    assert found.problems == []


def test_all_is_the_only_split(tmp_path: Path) -> None:
    BUILDERS["synthia"](tmp_path)
    with pytest.raises(SegadaptError, match=r"synthia: has no split 'train'.*'all'"):
        opened("synthia", tmp_path, "train")
