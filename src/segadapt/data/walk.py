"""Walks a folder, linked folders too, and passes over nothing in silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from segadapt.base.errors import SegadaptError
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath


def pictures_of(folder: DataPath, left_out: LeftOut) -> Iterator[tuple[DataPath, PurePath]]:
    """Files with an image's suffix below a folder, with their paths from there, sorted by path."""
    if not isinstance(folder, Path):
        if not folder.unpacked.is_dir():
            for packed in folder.files():
                relative = packed.relative_to(folder)
                if not left_out.add(relative):
                    yield packed, relative
            return
        folder = folder.unpacked
    for path, ordinary in sorted(files_below(folder)):
        inside = path.relative_to(folder)
        if left_out.add(inside):
            continue
        if ordinary:
            yield path, inside
        elif path.exists():
            left_out.special.append(inside.as_posix())
        else:
            raise SegadaptError(
                f"{path}: is a link to {path.readlink()}, which is not there; mend the link, or "
                "remove it"
            )


def files_below(folder: Path) -> Iterator[tuple[Path, bool]]:
    """All files below a folder, at any depth, and whether they are ordinary ones.

    Pipes, sockets and devices are not, nor links that lead nowhere. A link to a folder that holds
    it would lead round and round, and is not followed.

    Raises:
        SegadaptError: a folder cannot be listed.
    """
    return _walked(folder, frozenset())


def _walked(folder: Path, above: frozenset[Path]) -> Iterator[tuple[Path, bool]]:
    real = folder.resolve()
    if real in above:
        return
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SegadaptError(f"{folder}: cannot be listed ({error.strerror})") from error
    for entry in found:
        path = folder / entry.name
        if entry.is_dir():
            yield from _walked(path, above | {real})
        elif entry.is_file():
            yield path, True
        else:
            yield path, False
