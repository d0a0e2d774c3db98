"""What the paths of ``predict`` name: pictures, films and cameras."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from segadapt.base.errors import SegadaptError, printable
from segadapt.data.left_out import IMAGE_SUFFIXES, LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

FILM_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm"})
STREAMS = ("rtsp://", "rtmp://", "http://", "https://", "udp://")
CAMERA = "camera:"


@dataclass
class Inputs:
    """What is to be looked at, by the names that results get."""

    pictures: dict[str, DataPath] = field(default_factory=dict)
    films: dict[str, str] = field(default_factory=dict)
    """Files, addresses of streams, and cameras as ``camera:0``."""

    def add(self, name: str, what: DataPath | str) -> None:
        """Note a picture (a path) or a film (text).

        Raises:
            SegadaptError: results of another have that name.
        """
        known = self.pictures.get(name) or self.films.get(name)
        if known is not None:
            raise SegadaptError(
                f"{what}: {known} would be written to the same file; predict them with different "
                "--out"
            )
        if isinstance(what, str):
            self.films[name] = what
        else:
            self.pictures[name] = what


def inputs_of(paths: Sequence[str]) -> Inputs:
    """Images, folders of images, patterns (``photos/**/*.jpg``), films and cameras.

    Films and streams keep their names, those in folders are left out with a warning that says so.

    Raises:
        SegadaptError: a path is none of these, two would be written to the same file, or there is
            nothing.
    """
    found = Inputs()
    for path in paths:
        _add(found, path)
    if not found.pictures and not found.films:
        raise SegadaptError(f"{', '.join(paths)}: no images there")
    return found


def _add(found: Inputs, text: str) -> None:
    path = Path(text)
    if text.startswith((CAMERA, *STREAMS)):
        found.add(_name_of_stream(text), text)
    elif path.is_dir():
        _add_folder(found, path)
    elif path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        found.add(path.stem, path)
    elif path.is_file() and path.suffix.lower() in FILM_SUFFIXES:
        found.add(path.stem, str(path))
    elif not path.exists() and glob.has_magic(text):
        _add_pattern(found, text)
    else:
        raise SegadaptError(
            f"{text}: {_what(path)}; give a folder, an image file "
            f"({', '.join(sorted(IMAGE_SUFFIXES))}), a film ({', '.join(sorted(FILM_SUFFIXES))}), "
            "camera:0, or a pattern in quotes"
        )


def _add_folder(found: Inputs, folder: Path) -> None:
    left_out = LeftOut()
    for name, picture in find_images(folder, left_out=left_out).items():
        found.add(name, picture)
    for sentence in left_out.sentences():
        print(f"warning: {printable(f'{folder}: {sentence}')}", flush=True)


def _add_pattern(found: Inputs, pattern: str) -> None:
    """Files that a pattern names, called by their paths from the part that is no pattern."""
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    top = Path(*parts[:fixed]) if fixed else Path()
    files = [Path(x) for x in sorted(glob.glob(pattern, recursive=True)) if os.path.isfile(x)]
    taken = [x for x in files if x.suffix.lower() in IMAGE_SUFFIXES | FILM_SUFFIXES]
    if not taken:
        raise SegadaptError(f"{pattern}: no image and no film has such a name")
    for file in taken:
        name = file.relative_to(top).with_suffix("").as_posix()
        found.add(name, file if file.suffix.lower() in IMAGE_SUFFIXES else str(file))
    if len(taken) < len(files):
        print(f"warning: {pattern}: {len(files) - len(taken)} files are no images", flush=True)


def _name_of_stream(text: str) -> str:
    """A name for files: ``camera0``, or the last part of an address."""
    if text.startswith(CAMERA):
        return text.replace(":", "")
    return Path(text.partition("?")[0].rstrip("/")).stem or "stream"


def _what(path: Path) -> str:
    return "is not an image file" if path.is_file() else "there is no such file or folder"
