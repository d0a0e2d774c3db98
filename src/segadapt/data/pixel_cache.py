"""Pixels in the size of a domain, kept on disk, so that files are decoded and resized once.

One file for each image and for each label. It is written beside its place and renamed, and says
what it was made of: a writer that is killed, another process that writes the same, and a file that
has changed leave no wrong pixel.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import mmap
import os
import secrets
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError, printable
from segadapt.data.paths import FilePath

FORMAT = 1
"""To be raised whenever other pixels are read of the same file."""
HEADER = struct.Struct("<32s6I")
"""Digest of the source's state; its (height, width); shape of the pixels, 0 channels of a label;
their checksum."""
SPARE = 2**30
"""Bytes that are left free on the disk, for what the run itself writes."""
PAGE = 4096
"""What files take is a multiple of this."""
ABANDONED = 3600.0
"""Seconds after which a file that is half written is nobody's any more."""
HALF = ".partial"


class Picture(NamedTuple):
    """Pixels (height, width, 3), or ids (height, width), and what they were resized from."""

    pixels: NDArray[np.uint8]
    own: tuple[int, ...]
    """(height, width) of the file."""


class PixelCache:
    """The folder that pixels are kept in, which any number of runs and processes may share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Memory that the processes forked from this one share: the first that cannot write says
        # so, and the others stop without a word.
        self._stopped = mmap.mmap(-1, 1)

    def __reduce__(self) -> Any:  # to processes that are started afresh
        return PixelCache, (self.folder,)

    def picture(self, kind: str, path: FilePath, read: Callable[[], Picture]) -> Picture:
        """What ``read`` gives for a file, from the cache where that has it.

        Args:
            kind: what is made of files, as of :func:`kind_of`.
            path: the file.
            read: decodes and resizes it.

        Raises:
            SegadaptError: the file is missing or cannot be used.
        """
        try:
            state = _state(path)
        except OSError:
            return read()  # which says what is wrong
        place = self.place(kind, path)
        kept = _load(place, state)
        if kept is not None:
            return kept
        made = read()
        if not self._stopped[0]:
            self._keep(place, path, state, made)
        return made

    def place(self, kind: str, path: FilePath) -> Path:
        """Where the pixels of a file are kept; those of its earlier states lay there too."""
        name = hashlib.sha256(os.path.abspath(str(path)).encode(errors="surrogateescape"))
        return self.folder / kind / name.hexdigest()[:32]

    def remove_abandoned(self) -> None:
        """Remove what killed writers have left."""
        for path in self.folder.glob(f"*/*{HALF}"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()
            except OSError:  # another run was faster
                continue

    def _keep(self, place: Path, path: FilePath, state: bytes, made: Picture) -> None:
        pixels = np.ascontiguousarray(made.pixels).data
        shape = (*made.pixels.shape, 0)[:3]
        header = HEADER.pack(state, *made.own[:2], *shape, zlib.crc32(pixels))
        half = f"{place}.{secrets.token_hex(8)}{HALF}"
        try:
            if _state(path) != state:  # changed while it was read
                return
            try:
                free = shutil.disk_usage(place.parent).free
            except FileNotFoundError:
                place.parent.mkdir(parents=True, exist_ok=True)
                free = shutil.disk_usage(place.parent).free
            if free < SPARE + pixels.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with open(half, "xb", buffering=0) as file:
                written = file.write(header) + file.write(pixels)
            if written < len(header) + pixels.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.replace(half, place)
        except OSError as error:
            self._stop(half, error)

    def _stop(self, half: str, error: OSError) -> None:
        told, self._stopped[0] = self._stopped[0], 1
        with contextlib.suppress(OSError):  # of a folder that cannot be reached
            os.unlink(half)
        if not told:
            reason = error.strerror or error
            print(
                f"warning: {printable(str(self.folder))}: no more images are kept ({reason}, "
                f"{SPARE // 2**30} GiB are left free); those that are not kept are decoded from "
                "their files each time, which is slower and changes no number",
                flush=True,
            )


def kind_of(title: str, size: tuple[int, int] | None, *settings: object) -> str:
    """Name of the folder for what is made of files: in another size, or otherwise, is another.

    Args:
        title: first part of it.
        size: (height, width) of the pixels; None where files keep their own.
        settings: all else that decides on the pixels, of plain values.
    """
    digest = hashlib.sha256(repr((FORMAT, size, settings)).encode()).hexdigest()
    return f"{title}-{'x'.join(map(str, size or ('own',)))}-{digest[:12]}"


def bytes_kept(shapes: Iterable[tuple[int, ...]]) -> int:
    """What pixels of these shapes take on the disk."""
    return sum(math.ceil((HEADER.size + math.prod(shape)) / PAGE) * PAGE for shape in shapes)


def default_folder() -> Path:
    """``segadapt`` in the user's cache folder: XDG_CACHE_HOME, or ~/.cache.

    Raises:
        SegadaptError: the user has no home.
    """
    found = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"))
    if not found.is_absolute():
        raise SegadaptError(
            "a domain's images are to be kept (cache: true), and this user has no home folder; "
            "name a folder with --cache-dir"
        )
    return found / "segadapt"


def _state(path: FilePath) -> bytes:
    """Digest of a file's path, length and times: another whenever it may hold something else."""
    found = path.stat()
    told = f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}"
    return hashlib.sha256(told.encode(errors="surrogateescape")).digest()


def _load(place: Path, state: bytes) -> Picture | None:
    """The pixels that are kept of a file in this state, and are whole."""
    try:
        with place.open("rb", buffering=0) as file:
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                return None
            made_of, own_height, own_width, height, width, channels, checksum = HEADER.unpack(
                header
            )
            length = height * width * (channels or 1)
            if made_of != state or os.fstat(file.fileno()).st_size != HEADER.size + length:
                return None
            pixels = np.empty((height, width, channels) if channels else (height, width), np.uint8)
            if file.readinto(pixels.data) != length:
                return None
    except OSError:
        return None
    # A machine that lost its power may have kept the name of a file, and not what was in it.
    if zlib.crc32(pixels.data) != checksum:
        return None
    return Picture(pixels, (own_height, own_width))
