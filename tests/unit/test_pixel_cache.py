"""Pixels that are kept decoded: the same as the files', and made anew where those have changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps

from segadapt.base.classes import ClassSet
from segadapt.config import DomainConfig, Jitter
from segadapt.data.class_map import ClassMap
from segadapt.data.crops import Crops
from segadapt.data.domain import Domain, Sample
from segadapt.data.listing import open_domain
from segadapt.data.loader import RawBatch, inference_batches, training_batches
from segadapt.data.pixel_cache import PixelCache

SIZE = (16, 24)
OWN = (37, 52)
RNG = np.random.default_rng(5)
IDS = RNG.choice(np.array([0, 7, 13, 255], np.uint8), OWN)
COLOURS = {0: (128, 64, 128), 7: (128, 64, 128), 13: (0, 0, 142), 255: (0, 0, 0)}
YAML = """
classes:
  - {name: road, colour: [128, 64, 128], ids: [0, 7]}
  - {name: car, colour: [0, 0, 142], ids: [13, 300]}
ignore: [255]
"""
Write = Callable[[Path], Any]


def noise(*more: int) -> np.ndarray:
    return RNG.integers(0, 256, (*OWN, *more)).astype(np.uint8)


def turned_jpeg(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(noise(3).swapaxes(0, 1).copy()).save(path, exif=exif)


def palette_image(path: Path) -> None:
    Image.fromarray(noise(3)).quantize(64).save(path)


def bands(path: Path) -> None:
    tifffile.imwrite(path, noise(5), photometric="minisblack", planarconfig="contig")


def palette_label(path: Path) -> None:
    image = Image.fromarray(IDS)
    image.putpalette(bytes(x for i in range(256) for x in COLOURS.get(i, (0, 0, 0))))
    image.save(path)


def colour_label(path: Path) -> None:
    Image.fromarray(np.array([COLOURS.get(i, (0, 0, 0)) for i in range(256)], np.uint8)[IDS]).save(
        path
    )


def sixteen_bit_label(path: Path) -> None:
    Image.fromarray(np.where(IDS == 13, 300, IDS.astype(np.uint16))).save(path)


CASES: dict[str, tuple[str, Write, Write]] = {
    "8 bits": (".png", lambda p: Image.fromarray(noise(3)).save(p), lambda p: save(IDS, p)),
    "grey, palette": (".png", lambda p: Image.fromarray(noise()).save(p), palette_label),
    "palette, colours": (".png", palette_image, colour_label),
    "alpha, 16 bits": (".png", lambda p: Image.fromarray(noise(4)).save(p), sixteen_bit_label),
    "turned": (".jpg", turned_jpeg, lambda p: save(IDS, p)),
    "bands": (".tif", bands, lambda p: save(IDS, p)),
}


def save(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(pixels).save(path)


def domain_of(root: Path, case: str, size: tuple[int, int] | None, labelled: bool = True) -> Domain:
    suffix, image, label = CASES[case]
    if not root.exists():
        for folder in ("images/train", "labels/train"):
            (root / folder).mkdir(parents=True)
        (root / "classes.yaml").write_text(YAML)
        for name in "abc":
            image(root / f"images/train/{name}{suffix}")
            label(root / f"labels/train/{name}.png")
    config = DomainConfig(
        dataset="folder",
        split="train",
        role="source",
        size=size,
        bands=(4, 2, 1) if case == "bands" else None,
    )
    return open_domain(config, root, labelled, "domain own")


def by_hand(path: Path) -> np.ndarray:
    """As Pillow gives an image in SIZE."""
    if path.suffix == ".tif":
        image = Image.fromarray(tifffile.imread(path)[..., [3, 1, 0]].copy())
    else:
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return np.array(image.resize(SIZE[::-1], Image.Resampling.BICUBIC))


def label_by_hand(size: tuple[int, int]) -> np.ndarray:
    trained = np.array([{0: 0, 7: 0, 13: 1}.get(i, 255) for i in range(256)], np.uint8)[IDS]
    return np.array(Image.fromarray(trained).resize(size[::-1], Image.Resampling.NEAREST))


def equal(first: Iterator[RawBatch], second: Iterator[RawBatch]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return bool(pairs) and all(
        torch.equal(a.image, b.image) and torch.equal(a.label, b.label) for a, b in pairs
    )


@pytest.fixture
def nothing_decoded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a file was decoded")

    def begin() -> None:
        monkeypatch.setattr(Image, "open", refuse)
        monkeypatch.setattr(tifffile, "TiffFile", refuse)

    return begin


@pytest.mark.parametrize("case", CASES)
def test_pixels_are_those_of_the_files(
    tmp_path: Path, case: str, nothing_decoded: Callable[[], None]
) -> None:
    plain = domain_of(tmp_path / "own", case, SIZE)
    cached = replace(plain, cache=PixelCache(tmp_path / "kept"))
    images = [by_hand(sample.image) for sample in plain.samples]
    label = label_by_hand(SIZE)
    for domain in (plain, cached):
        for index, wanted in enumerate(images):
            assert np.array_equal(domain.sized(index).pixels, wanted)
            assert np.array_equal(domain.sized_label(index).pixels, label)
    nothing_decoded()
    for index, wanted in enumerate(images):
        found = cached.sized(index)
        assert np.array_equal(found.pixels, wanted) and found.own == OWN
        found = cached.sized_label(index)
        assert np.array_equal(found.pixels, label) and found.own == OWN


@pytest.mark.parametrize(("size", "workers"), [(SIZE, 0), (None, 0), (SIZE, 1)])
def test_batches_are_the_same_in_every_epoch(
    tmp_path: Path, size: tuple[int, int] | None, workers: int
) -> None:
    plain = domain_of(tmp_path / "own", "8 bits", size)
    cached = replace(plain, cache=PixelCache(tmp_path / "kept"))

    def batches(domain: Domain) -> Iterator[RawBatch]:
        crop, jitter = Crops((8, 16), 0.5, 2, 3), Jitter(scale=(0.8, 1.2))
        return training_batches(
            domain, 2, 7, (0, 5), (0, 1), True, workers, crop=crop, jitter=jitter
        )

    wanted = list(batches(plain))
    for _ in range(2):
        assert equal(iter(wanted), batches(cached))


def test_factors_take_the_files_own_pixels(tmp_path: Path) -> None:
    plain = domain_of(tmp_path / "own", "8 bits", SIZE)
    cached = replace(plain, cache=PixelCache(tmp_path / "kept"))
    found = [
        training_batches(x, 1, 7, (0, 4), (0, 1), True, 0, scales=(0.5, 2.0))
        for x in (plain, cached)
    ]
    assert equal(*found)
    images = inference_batches(cached, 2, (0, 1), 0, scales=(0.5,))
    wanted = inference_batches(plain, 2, (0, 1), 0, scales=(0.5,))
    for one, other in zip(images, wanted, strict=True):
        assert torch.equal(one.image, other.image)
        assert torch.equal(one.scaled[0], other.scaled[0])


def test_inference_sees_the_same_and_labels_as_large_as_their_files(tmp_path: Path) -> None:
    plain = domain_of(tmp_path / "own", "8 bits", SIZE)
    cached = replace(plain, cache=PixelCache(tmp_path / "kept"))
    for _ in range(2):
        batches = (inference_batches(x, 2, (0, 1), 0) for x in (plain, cached))
        for one, other in zip(*batches, strict=True):
            assert torch.equal(one.image, other.image)
            assert all(torch.equal(a, b) for a, b in zip(one.labels, other.labels, strict=True))
            assert other.labels[0].shape == OWN


def test_labels_that_are_not_to_be_opened_are_not_kept(tmp_path: Path) -> None:
    cache = PixelCache(tmp_path / "kept")
    domain_of(tmp_path / "own", "8 bits", SIZE)
    target = replace(domain_of(tmp_path / "own", "8 bits", SIZE, labelled=False), cache=cache)
    list(training_batches(target, 1, 0, (0, 3), (0, 1), True, 0))
    assert [x.name.partition("-")[0] for x in (tmp_path / "kept").iterdir()] == ["image"]


# What makes pixels others ----------------------------------------------------------------------


def one_image(tmp_path: Path, **settings: Any) -> Domain:
    """A domain of an image of 8 x 8 whose file is as long whatever is in it."""
    classes = ClassSet("two", ("road", "car"), ((0, 0, 0), (9, 9, 9)))
    known = {
        "class_map": ClassMap(classes, {0: 0, 1: 1, 255: 255}),
        "size": (4, 4),
        "cache": PixelCache(tmp_path / "kept"),
        **settings,
    }
    sample = Sample("a", tmp_path / "a.bmp", tmp_path / "a.label.bmp")
    return Domain("domain own", (sample,), labelled=True, **known)


def write_one(tmp_path: Path, grey: int, label: int) -> None:
    save(np.full((8, 8, 3), grey, np.uint8), tmp_path / "a.bmp")
    save(np.full((8, 8), label, np.uint8), tmp_path / "a.label.bmp")


def values(domain: Domain) -> tuple[int, int]:
    image, label = domain.sized(0).pixels, domain.sized_label(0).pixels
    assert image.shape[:2] == label.shape == domain.size
    assert len(np.unique(image)) == len(np.unique(label)) == 1
    return int(image[0, 0, 0]), int(label[0, 0])


def test_a_file_of_the_same_length_and_time_that_holds_something_else(tmp_path: Path) -> None:
    write_one(tmp_path, 10, 0)
    before = (tmp_path / "a.bmp").stat()
    domain = one_image(tmp_path)
    assert values(domain) == values(domain) == (10, 0)
    write_one(tmp_path, 99, 1)
    for name in ("a.bmp", "a.label.bmp"):
        os.utime(tmp_path / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (tmp_path / "a.bmp").stat().st_size == before.st_size
    assert values(domain) == (99, 1)
    files = [x for x in (tmp_path / "kept").rglob("*") if x.is_file()]
    assert len(files) == 2, "what was kept of the earlier files is still there"


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_one(tmp_path, 10, 0)
    domain = one_image(tmp_path)
    decode = Image.open

    def replaced(path: Any) -> Any:
        found = decode(path)
        found.load()
        write_one(tmp_path, 99, 1)
        return found

    monkeypatch.setattr(Image, "open", replaced)
    assert domain.sized(0).pixels.max() == 10
    monkeypatch.undo()
    assert values(domain) == (99, 1)


def test_other_settings_keep_other_pixels(tmp_path: Path) -> None:
    write_one(tmp_path, 10, 1)
    one = one_image(tmp_path)
    assert values(one) == (10, 1)
    assert values(one_image(tmp_path, size=(2, 6))) == (10, 1)
    swapped = ClassMap(one.classes, {0: 1, 1: 0, 255: 255})
    assert values(one_image(tmp_path, class_map=swapped)) == (10, 0)
    assert values(one) == (10, 1)


def test_bands_keep_other_pixels(tmp_path: Path) -> None:
    pixels = np.stack([np.full((8, 8), 10 * k, np.uint8) for k in range(5)], axis=-1)
    tifffile.imwrite(tmp_path / "a.bmp", pixels, photometric="minisblack", planarconfig="contig")
    for picked in ((1, 2, 3), (5, 4, 3)) * 2:
        domain = one_image(tmp_path, bands=picked)
        assert domain.sized(0).pixels[0, 0].tolist() == [10 * (band - 1) for band in picked]


def test_a_missing_file_is_missing_also_where_its_pixels_are_kept(tmp_path: Path) -> None:
    write_one(tmp_path, 10, 1)
    domain = one_image(tmp_path)
    values(domain)
    (tmp_path / "a.bmp").unlink()
    with pytest.raises(Exception, match=r"a\.bmp: the image file is missing"):
        domain.sized(0)
