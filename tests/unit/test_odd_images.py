"""Images of other kinds than 8 bits of red, green and blue: used as they are, or refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.transforms import image_size, read_image

BANDS = np.random.default_rng(0).integers(0, 256, (6, 8, 12)).astype(np.uint8)


def infrared(path: Path) -> None:
    tifffile.imwrite(path, BANDS[..., :4], photometric="rgb", extrasamples=[0])


def five(path: Path) -> None:
    tifffile.imwrite(path, BANDS[..., :5], photometric="minisblack", planarconfig="contig")


def twelve_planar(path: Path) -> None:
    planes = np.moveaxis(BANDS, -1, 0)
    tifffile.imwrite(path, planes, photometric="minisblack", planarconfig="separate")


def sixteen(path: Path) -> None:
    wide = BANDS[..., :5].astype(np.uint16) * 257
    tifffile.imwrite(path, wide, photometric="minisblack", planarconfig="contig")


@pytest.mark.parametrize(
    ("write", "said"), [(infrared, "4 channels"), (five, "5 bands"), (twelve_planar, "12 bands")]
)
def test_other_bands_are_told_and_never_dropped(
    tmp_path: Path, write: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "a.tif"
    write(path)
    with pytest.raises(SegadaptError, match=rf"a\.tif: .*{said}.*bands: \[3, 2, 1\]"):
        read_image(path, None)
    assert image_size(path) == (6, 8)


@pytest.mark.parametrize("write", [infrared, five, twelve_planar, sixteen])
def test_bands_of_a_domain_pick_three(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "a.tif"
    write(path)
    assert np.array_equal(read_image(path, None, (3, 2, 1)), BANDS[..., [2, 1, 0]])


def test_bands_are_a_setting_of_a_domain(folder_domain: Callable[..., Domain]) -> None:
    domain = folder_domain([(6, 8)], bands=(1, 1, 1))
    with pytest.raises(SegadaptError, match=r"those of a TIFF file"):
        domain.image(0)


def floats(path: Path) -> None:
    tifffile.imwrite(path, BANDS[..., :3].astype(np.float32), photometric="rgb")


def too_few(path: Path) -> None:
    tifffile.imwrite(path, BANDS[..., 0])


@pytest.mark.parametrize(
    ("write", "wanted", "said"),
    [
        (floats, (3, 2, 1), "float32 numbers"),
        (too_few, (1, 1, 2), "has 1 bands"),
        (five, (7, 2, 1), "number 7"),
    ],
)
def test_bands_that_are_not_there_are_told(
    tmp_path: Path, write: Callable[[Path], None], wanted: tuple[int, int, int], said: str
) -> None:
    write(tmp_path / "a.tif")
    with pytest.raises(SegadaptError, match=said):
        read_image(tmp_path / "a.tif", None, wanted)


def test_floats_are_told(tmp_path: Path) -> None:
    floats(tmp_path / "a.tif")
    with pytest.raises(SegadaptError, match="3 bands of 32 floating-point"):
        read_image(tmp_path / "a.tif", None)


def pages(path: Path) -> None:
    first, *others = [Image.fromarray(BANDS[..., k]) for k in range(3)]
    first.save(path, save_all=True, append_images=others)


def vast(path: Path) -> None:
    """20000x20000 with nothing in it: a small file."""
    Image.new("1", (20000, 20000)).save(path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("write", "name", "said"),
    [
        (pages, "a.tif", "3 pages or frames"),
        (pages, "a.gif", "3 pages or frames"),
        (vast, "a.png", "more than 178,956,970 pixels.*cut it into smaller"),
        (pipe, "a.png", "no regular file"),
    ],
)
def test_it_is_refused_with_the_reason_at_once(
    tmp_path: Path, write: Callable[[Path], None], name: str, said: str
) -> None:
    write(tmp_path / name)
    with pytest.raises(SegadaptError, match=said):
        read_image(tmp_path / name, None)
