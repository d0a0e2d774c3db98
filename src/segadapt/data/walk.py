"""Walks a folder, linked folders too, and passes over nothing in silence."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
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
    for path, ordinary in sorted(files_below(folder), key=_by_parts):
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


def _by_parts(found: tuple[Path, bool]) -> str:
    """Sorts as paths do, part by part, which takes a million of them long."""
    return str(found[0]).replace(os.sep, "\0")


MOST_NAMES = 100
"""Of one folder, by links. Links to folders of links can give it names without end."""


def files_below(folder: Path) -> Iterator[tuple[Path, bool]]:
    """All files below a folder, at any depth, and whether they are ordinary ones.

    Pipes, sockets and devices are not, nor links that lead nowhere. A link to a folder that holds
    it would lead round and round, and is not followed.

    Raises:
        SegadaptError: a folder cannot be listed, or has names without end.
    """
    names: Counter[tuple[int, int]] = Counter()
    ahead: list[tuple[Path, bool, frozenset[tuple[int, int]]]] = [(folder, False, frozenset())]
    while ahead:
        place, linked, above = ahead.pop()
        try:
            state = os.stat(place)
            real = state.st_dev, state.st_ino
            if linked and real in above:
                continue
            with os.scandir(place) as entries:
                found = list(entries)
        except OSError as error:
            raise SegadaptError(f"{place}: cannot be listed ({error.strerror})") from error
        names[real] += linked
        if names[real] > MOST_NAMES:
            raise SegadaptError(
                f"{place}: links give this folder more than {MOST_NAMES} names below {folder}; "
                "remove some"
            )
        for entry in found:
            if _is(entry.is_dir):
                ahead.append((place / entry.name, entry.is_symlink(), above | {real}))
            else:
                yield place / entry.name, _is(entry.is_file)


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:  # a link that leads to itself
        return False
