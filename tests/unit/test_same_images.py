"""Images that two domains share."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from miniatures import BUILDERS, CLASSES_YAML, opened, write_digits
from PIL import Image

from segadapt.data.domain import Domain
from segadapt.data.same_images import BLOCK, same_images


def images(root: Path, seeds: dict[str, int], suffix: str = "png") -> Domain:
    """A ``folder`` of noise: equal seeds are equal pictures."""
    folder = root / "images/day"
    folder.mkdir(parents=True)
    for name, seed in seeds.items():
        pixels = np.random.default_rng(seed).integers(0, 256, (64, 96, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.{suffix}")
    (root / "classes.yaml").write_text(CLASSES_YAML)
    return opened("folder", root, "day", labelled=False)


@pytest.mark.parametrize("suffix", ["png", "bmp"])  # all files of the latter are of one length
def test_copies_are_found_whatever_they_are_called(tmp_path: Path, suffix: str) -> None:
    train = images(tmp_path / "a", {"x": 0, "y": 1, "z": 2}, suffix)
    test = images(tmp_path / "b", {"0": 2, "1": 3, "2": 0}, suffix)
    assert same_images(train, test) == ["0", "2"]
    assert same_images(test, train) == ["x", "z"]


def test_files_that_differ_in_one_byte_are_different(tmp_path: Path) -> None:
    train = images(tmp_path / "a", {"x": 0}, "bmp")
    test = images(tmp_path / "b", {"x": 0}, "bmp")
    path = tmp_path / "b/images/day/x.bmp"
    content = bytearray(path.read_bytes())
    content[2 * BLOCK] ^= 1  # in none of the blocks that are compared first
    path.write_bytes(content)
    assert same_images(train, test) == []


def test_links_are_followed(tmp_path: Path) -> None:
    train = images(tmp_path / "a", {"x": 0, "y": 1, "z": 2})
    folder = tmp_path / "b/images/day"
    folder.mkdir(parents=True)
    (folder / "p.png").symlink_to(tmp_path / "a/images/day/y.png")
    os.link(tmp_path / "a/images/day/z.png", folder / "q.png")
    shutil.copy(tmp_path / "a/classes.yaml", tmp_path / "b")
    assert same_images(train, opened("folder", tmp_path / "b", "day", False)) == ["p", "q"]


def test_images_in_archives_are_found(tmp_path: Path) -> None:
    split, _ = BUILDERS["camvid"](tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as file:
        for path in (tmp_path / "data").rglob("*.png"):
            file.write(path, path.relative_to(tmp_path / "data"))
    plain = opened("camvid", tmp_path / "data", split, labelled=False)
    packed = opened("camvid", tmp_path / "data.zip", split, labelled=False)
    names = [sample.name for sample in plain.samples]
    assert same_images(plain, packed) == same_images(packed, packed) == names


def test_digits_of_one_part_are_the_same_and_of_two_are_not(tmp_path: Path) -> None:
    root = write_digits(tmp_path, "mnist", 3)
    train, test = (opened("mnist", root, split, labelled=False) for split in ("train", "test"))
    assert same_images(train, train) == ["00000", "00001", "00002"]
    assert same_images(train, test) == []
