"""The bytes of a small annotation file, on disk, in an archive, or a part of another file."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.base.text_file import MOST_BYTES
from segadapt.data.arrays import ArrayPath
from segadapt.data.paths import FilePath, read_small


def content(path: FilePath) -> bytes:
    """What is in an annotation file.

    Raises:
        SegadaptError: there is none, it is no ordinary file, or is too large to be one.
    """
    try:
        if isinstance(path, ArrayPath):
            with path.open() as file:
                return file.read(MOST_BYTES)
        return read_small(path)
    except FileNotFoundError as error:
        raise SegadaptError(f"{path}: there is no such file of boxes") from error
    except OSError as error:
        raise SegadaptError(f"{path}: boxes cannot be read from it ({error})") from error


def text(path: FilePath) -> str:
    """The same as text in UTF-8.

    Raises:
        SegadaptError: as :func:`content`, or it is no text.
    """
    try:
        return content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SegadaptError(
            f"{path}: is no text in UTF-8 ({error.reason} at byte {error.start}); save it as such"
        ) from error
