"""Pictures that lie many in one file, as digits do, used like files of their own."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError

Read = Callable[[Path, str], NDArray[np.uint8]]
"""Of a file and the name of an array in it: uint8 pictures (N, height, width) or
(N, height, width, 3), or labels (N,)."""


@dataclass(frozen=True)
class ArrayPath:
    """One picture, or one label, of an array in a file."""

    file: Path
    read: Read
    """A function that can be imported by its name, as worker processes need it."""
    key: str
    index: int

    def __str__(self) -> str:
        return f"{self.file}:{self.key}[{self.index}]"

    @property
    def name(self) -> str:
        """Number of the picture in its array."""
        return f"{self.index:05d}"

    @property
    def stem(self) -> str:
        """The same."""
        return self.name

    @property
    def suffix(self) -> str:
        """Of the form in which :meth:`open` gives it."""
        return ".pnm"

    def is_file(self) -> bool:
        """Whether the file that holds it is there."""
        return self.file.is_file()

    def size(self) -> int:
        """Bytes of the whole file."""
        return self.file.stat().st_size

    def stat(self) -> os.stat_result:
        """State of the file that holds it.

        Raises:
            OSError: there is none.
        """
        return self.file.stat()

    def open(self) -> IO[bytes]:
        """The picture as a (grey or colour) PNM file; a label is one pixel."""
        try:
            content = array(self.file, self.read, self.key)
        except SegadaptError:
            raise
        except Exception as error:  # whatever the readers of these formats raise on damaged files
            raise ValueError(str(error)) from error
        if self.index >= len(content):
            raise ValueError(f"there are {len(content)} only")
        pixels = np.atleast_2d(content[self.index])
        kind = b"P6" if pixels.ndim == 3 else b"P5"
        header = b"%s %d %d 255\n" % (kind, pixels.shape[1], pixels.shape[0])
        return io.BytesIO(header + np.ascontiguousarray(pixels).tobytes())


def array(file: Path, read: Read, key: str) -> NDArray[np.uint8]:
    """An array of a file, read once per process and state of the file."""
    return _content(file, read, key, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _content(file: Path, read: Read, key: str, changed: int) -> NDArray[np.uint8]:
    content: NDArray[np.uint8] = read(file, key)
    return content
