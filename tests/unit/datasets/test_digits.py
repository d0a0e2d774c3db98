"""Digits: many pictures in one file, in every form in which the data sets come."""

from __future__ import annotations

import bz2
import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from miniatures import DIGITS, opened, write_digits

from segadapt.base.errors import SegadaptError
from segadapt.config import Jitter
from segadapt.data.check import check_domain
from segadapt.data.loader import inference_batches, training_batches

EVERY = pytest.mark.parametrize("dataset", DIGITS)
SIDES = {"mnist": 28, "usps": 16, "svhn": 32}
NUMBER = 12


@EVERY
def test_pictures_and_labels_are_read(dataset: str, tmp_path: Path) -> None:
    write_digits(tmp_path, dataset, NUMBER)
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        wanted = rng.integers(0, 256, (NUMBER, SIDES[dataset], SIDES[dataset])).astype(np.uint8)
        domain = opened(dataset, tmp_path, split)
        assert [sample.name for sample in domain.samples] == [f"{i:05d}" for i in range(NUMBER)]
        for i in range(NUMBER):
            assert np.array_equal(domain.image(i)[..., 0], wanted[i])
            assert domain.label(i).tolist() == [[i % 10]]
    if dataset == "svhn":
        assert np.array_equal(domain.image(3)[..., 2], 255 - wanted[3])


@EVERY
def test_size_resizes_pictures_and_labels_stay_one(dataset: str, tmp_path: Path) -> None:
    domain = opened(dataset, write_digits(tmp_path, dataset), "train", size=(40, 40))
    assert domain.image(0).shape == (40, 40, 3)
    batch = next(training_batches(domain, 2, 0, (0, 1), (0, 1), flip=False, workers=0))
    assert batch.image.shape == (2, 40, 40, 3)
    assert batch.label is not None and batch.label.shape == (2, 1, 1)


def test_a_moved_picture_keeps_its_label(tmp_path: Path) -> None:
    domain = opened("mnist", write_digits(tmp_path, "mnist", NUMBER), "train")
    jitter = Jitter(scale=(0.5, 0.5), shift=0.9)  # most pictures leave their frame
    batches = training_batches(domain, 12, 0, (0, 4), (0, 1), False, 0, jitter=jitter)
    for batch in batches:
        assert batch.label is not None and (batch.label < 10).all()
        assert (batch.image == 0).float().mean() > 0.7


@EVERY
def test_worker_processes_read_them(dataset: str, tmp_path: Path) -> None:
    domain = opened(dataset, write_digits(tmp_path, dataset, NUMBER), "test")
    pickle.loads(pickle.dumps(domain.samples))
    found = [b for b in inference_batches(domain, 5, (0, 1), workers=1)]
    assert [i for b in found for i in b.indices] == list(range(NUMBER))


@EVERY
def test_check_finds_nothing_wrong_but_absent_classes(dataset: str, tmp_path: Path) -> None:
    found = check_domain(opened(dataset, write_digits(tmp_path, dataset, 10), "train"))
    assert found.problems == []
    assert found.class_shares == pytest.approx({str(i): 0.1 for i in range(10)})


@EVERY
def test_missing_data_sets_say_where_they_belong(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"has no .*; put the data set there"):
        opened(dataset, tmp_path, "train")


@EVERY
def test_damaged_files_are_told(dataset: str, tmp_path: Path) -> None:
    write_digits(tmp_path, dataset)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SegadaptError, match=r"cannot be read .*; fetch the file again"):
        opened(dataset, tmp_path, "train")


def test_labels_of_an_unlabelled_domain_are_not_read(tmp_path: Path) -> None:
    """They lie in the same file as the pictures here, so that no file's absence would tell."""
    write_digits(tmp_path, "mnist", NUMBER)
    with np.load(tmp_path / "mnist.npz") as arrays:
        pictures = {k: v for k, v in arrays.items() if k.startswith("x_")}
    np.savez(tmp_path / "mnist.npz", **pictures)
    domain = opened("mnist", tmp_path, "train", labelled=False)
    assert domain.image(0).shape == (28, 28, 3)
    with pytest.raises(SegadaptError, match="never opened"):
        domain.label(0)


def test_labels_that_are_too_few_are_told(tmp_path: Path) -> None:
    write_digits(tmp_path, "mnist", NUMBER)
    with np.load(tmp_path / "mnist.npz") as arrays:
        content = dict(arrays)
    content["y_train"] = content["y_train"][:5]
    np.savez(tmp_path / "mnist.npz", **content)
    domain = opened("mnist", tmp_path, "train")
    assert domain.label(4).tolist() == [[4]]
    with pytest.raises(SegadaptError, match=r"y_train\[5\]: .*there are 5 only"):
        domain.label(5)


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_in_torchvision_s_layout(packed: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (3, 28, 28)).astype(np.uint8)
    files = {
        "train-images-idx3-ubyte": b"\0\0\x08\x03"
        + b"".join(n.to_bytes(4, "big") for n in pictures.shape)
        + pictures.tobytes(),
        "train-labels-idx1-ubyte": b"\0\0\x08\x01" + (3).to_bytes(4, "big") + bytes([7, 0, 9]),
    }
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)
    domain = opened("mnist", tmp_path, "train")
    assert np.array_equal(domain.image(1)[..., 1], pictures[1])
    assert [domain.label(i).item() for i in range(3)] == [7, 0, 9]


def test_usps_in_torchvision_s_layout(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 256)
    lines = [
        f"{label} " + " ".join(f"{k}:{v:.6f}" for k, v in enumerate(values, start=1))
        for label in (10, 1)
    ]
    for name in ("usps.bz2", "usps.t.bz2"):
        (tmp_path / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    domain = opened("usps", tmp_path, "test")
    assert [domain.label(i).item() for i in range(2)] == [9, 0]
    assert np.array_equal(domain.image(0)[..., 0].ravel(), ((values + 1) / 2 * 255).round())
