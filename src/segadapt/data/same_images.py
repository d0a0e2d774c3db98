"""Which images two domains share, whatever they are called in each."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import IO

from segadapt.data.arrays import ArrayPath
from segadapt.data.domain import Domain
from segadapt.data.paths import FilePath

BLOCK = 4096
"""Bytes at a file's beginning, middle and end that are compared before all of it is."""


def same_images(first: Domain, second: Domain) -> list[str]:
    """Names of the images of ``second`` that are in ``first`` too, in its order.

    They are the same file, also through links, or files of the same content. No label is looked
    at. Contents are compared of files of one length alone, so that little is read.

    Raises:
        OSError: a file cannot be read.
    """
    files = {_identity(sample.image) for sample in first.samples}
    by_size: dict[int, list[FilePath]] = defaultdict(list)
    for sample in first.samples:
        if not isinstance(sample.image, ArrayPath):
            by_size[_size(sample.image)].append(sample.image)
    # Where all files are of one length, as uncompressed ones are, each is compared with those alone
    # that have its blocks too: not a million times a test's number.
    by_blocks: dict[int, dict[bytes, list[FilePath]]] = {}
    wholes: dict[FilePath, bytes] = {}

    def alike(path: FilePath) -> Sequence[FilePath]:
        size = _size(path)
        if size not in by_size:
            return ()
        if size not in by_blocks:
            by_blocks[size] = defaultdict(list)
            for other in by_size[size]:
                by_blocks[size][_part(other)].append(other)
        return by_blocks[size].get(_part(path), ())

    def whole(path: FilePath) -> bytes:
        if path not in wholes:
            wholes[path] = _whole(path)
        return wholes[path]

    return [
        sample.name
        for sample in second.samples
        if _identity(sample.image) in files
        or (
            not isinstance(sample.image, ArrayPath)
            and any(whole(sample.image) == whole(x) for x in alike(sample.image))
        )
    ]


def _identity(path: FilePath) -> Hashable:
    """What is equal for two names of one file."""
    if isinstance(path, Path):
        state = path.stat()
        return state.st_dev, state.st_ino
    return str(path)


def _size(path: FilePath) -> int:
    return path.stat().st_size if isinstance(path, Path) else path.size()


def _opened(path: FilePath) -> IO[bytes]:
    return path.open("rb") if isinstance(path, Path) else path.open()


def _part(path: FilePath) -> bytes:
    size = _size(path)
    digest = hashlib.blake2b(digest_size=16)
    with _opened(path) as file:
        for place in (0, max(0, size // 2), max(0, size - BLOCK)):
            file.seek(place)
            digest.update(file.read(BLOCK))
    return digest.digest()


def _whole(path: FilePath) -> bytes:
    with _opened(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()  # type: ignore[arg-type, return-value]
