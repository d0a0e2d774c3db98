"""Readers of the file formats that digits come in; torchvision's, and arrays in one file."""

from __future__ import annotations

import bz2
import gzip
import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError, first_line
from segadapt.data.arrays import ArrayPath, Read, array
from segadapt.data.domain import Sample

MOST_BYTES = 2**32
"""Of an array: SVHN's largest has 1.6 GB. A small file can hold what says that it is larger."""
MOST_UNPACKED = 2**28
"""Of MNIST's and USPS' packed files: they have a fifth of it."""


def digit_samples(
    images: tuple[Path, Read, str], labels: tuple[Path, Read, str], what: str
) -> list[Sample]:
    """Samples of pictures and labels in arrays, named by their numbers.

    Args:
        images: file, its reader, and the name of the array of pictures.
        labels: the same of the labels.
        what: how messages call them.

    Labels are not read here: those of a target never are.

    Raises:
        SegadaptError: the file of the pictures is damaged.
    """
    try:
        number = len(array(*images))
    except SegadaptError:
        raise
    except Exception as error:  # whatever the readers of these formats raise on damaged files
        raise SegadaptError(
            f"{what}: {images[0]} cannot be read ({first_line(error)}); fetch the file again"
        ) from error
    return [Sample(f"{i:05d}", ArrayPath(*images, i), ArrayPath(*labels, i)) for i in range(number)]


def missing(what: str, root: object, wanted: str) -> SegadaptError:
    """The error for a data set that is not there."""
    return SegadaptError(f"{what}: {root} has no {wanted}; put the data set there")


def _require_small(size: int) -> None:
    if size > MOST_BYTES:
        raise ValueError(f"says that it holds {size / 2**30:.0f} GiB")


def _read_small(stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File) -> bytes:
    content = stream.read(MOST_UNPACKED + 1)
    if len(content) > MOST_UNPACKED:
        raise ValueError("is larger than any such file")
    return content


def read_npz(file: Path, key: str) -> NDArray[np.uint8]:
    """An array of Keras' ``mnist.npz``: ``x_train``, ``y_train``, ``x_test``, ``y_test``."""
    with zipfile.ZipFile(file) as packed:
        _require_small(max((info.file_size for info in packed.infolist()), default=0))
    with np.load(file, allow_pickle=False) as arrays:
        return np.asarray(arrays[key], dtype=np.uint8)


def read_idx(file: Path, key: str) -> NDArray[np.uint8]:
    """MNIST's own format, packed or not; ``key`` is not needed."""
    with file.open("rb") as plain:
        content = _read_small(gzip.GzipFile(fileobj=plain) if file.suffix == ".gz" else plain)
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("is no idx file of bytes")
    axes = content[3]
    shape = np.frombuffer(content, ">i4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(tuple(shape))


def read_usps_h5(file: Path, key: str) -> NDArray[np.uint8]:
    """``usps.h5``: ``train/data`` and so on, pictures in [0, 1], 16x16, flattened."""
    try:
        import h5py
    except ImportError as error:
        raise SegadaptError(
            f'{file}: needs h5py to be read; install it (pip install "segadapt[digits]"), or use '
            "torchvision's usps.bz2 and usps.t.bz2"
        ) from error
    with h5py.File(file, "r") as content:
        _require_small(content[key].size * 8)
        values = np.asarray(content[key])
    if key.endswith("target"):
        return values.astype(np.uint8)
    return (values.reshape(-1, 16, 16) * 255).round().astype(np.uint8)


def read_usps_bz2(file: Path, key: str) -> NDArray[np.uint8]:
    """torchvision's ``usps.bz2``: lines ``label 1:value ...``, labels 1 to 10, values -1 to 1."""
    with bz2.open(file) as packed:
        rows = [line.split() for line in _read_small(packed).decode("ascii").splitlines()]
    if key == "labels":
        return np.array([int(row[0]) - 1 for row in rows], dtype=np.uint8)
    values = np.array([[float(x.partition(":")[2]) for x in row[1:]] for row in rows])
    return ((values.reshape(-1, 16, 16) + 1) / 2 * 255).round().astype(np.uint8)


def read_svhn_mat(file: Path, key: str) -> NDArray[np.uint8]:
    """``train_32x32.mat``: ``X`` (32, 32, 3, N), ``y`` with 10 for the digit 0."""
    try:
        from scipy.io import loadmat, whosmat
    except ImportError as error:
        raise SegadaptError(
            f'{file}: needs scipy to be read; install it (pip install "segadapt[digits]")'
        ) from error
    for _, shape, _ in whosmat(file):
        _require_small(math.prod(shape))
    values = loadmat(file)[key]
    if key == "y":
        labels: NDArray[np.uint8] = (values.reshape(-1) % 10).astype(np.uint8)
        return labels
    pictures: NDArray[np.uint8] = np.ascontiguousarray(values.transpose(3, 0, 1, 2))
    return pictures
