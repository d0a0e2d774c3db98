"""Data files that could not be read, and so took no part in anything: they may be replaced.

What a run comes from is known by the sizes and ends of its data files. A file that stopped the run
is remembered with those it had; the one that replaces it is then no other data, and nothing that
was trained before is lost.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from segadapt.artefacts import write_json
from segadapt.base.errors import is_file
from segadapt.data.paths import FilePath

UNREAD_FILE = "unread.json"
END = 4096
"""Bytes at a file's end that are looked at: an image of the same size ends otherwise."""

Look = tuple[int, int]
"""Size, and a checksum of the end."""


def look(path: FilePath) -> Look:
    """What a data file looks like, without reading all of it."""
    if not isinstance(path, Path):
        return path.size(), 0
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - END))
        return size, zlib.crc32(file.read())


class Unread:
    """The files of one run that could not be read."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / UNREAD_FILE
        self._known: dict[str, Look] = {}
        try:
            found = json.loads(self._file.read_text())
            self._known = {str(k): (int(a), int(b)) for k, (a, b) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            pass  # there is none
        self.replaced: list[str] = []
        """Those that look otherwise now."""

    def look(self, path: FilePath) -> Look:
        """What a file looks like, or looked like when it could not be read."""
        now = look(path)
        before = self._known.get(str(path))
        if before is None or before == now:
            return now
        if str(path) not in self.replaced:
            self.replaced.append(str(path))
        return before

    def note(self, message: str) -> None:
        """Remember the file that a message is about, where it is about one."""
        path = Path(message.partition(": ")[0])
        if path.is_absolute() and is_file(path) and self._file.parent not in path.parents:
            self._known.setdefault(str(path), look(path))
            write_json(self._file, self._known)
