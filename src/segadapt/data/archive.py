"""One archive: what lies in a .zip or .tar file, and a file's content without unpacking it."""

from __future__ import annotations

import io
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from segadapt.base.errors import SegadaptError

SUFFIXES = (".zip", ".tar")
READABLE_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
)


@dataclass(frozen=True)
class Member:
    """A file in an archive; ``offset`` is that of a tar file's content, None in a zip file."""

    archive: Path
    name: str
    size: int
    offset: int | None

    def open(self) -> IO[bytes]:
        """The file's content.

        Raises:
            OSError: the archive is damaged, or not the one that was listed.
        """
        if self.offset is not None:
            with self.archive.open("rb") as file:
                file.seek(self.offset)
                return io.BytesIO(file.read(self.size))
        try:
            # Per process: a handle that forked processes share would have one position for all.
            return io.BytesIO(_zip_file(self.archive, os.getpid()).read(self.name))
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
            raise OSError(f"{self.archive} is damaged or was changed: {error}") from error


@lru_cache(maxsize=64)
def _zip_file(archive: Path, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


@dataclass(frozen=True, eq=False)
class Contents:
    """What lies in an archive, by path."""

    members: dict[str, Member]
    folders: frozenset[str]


@lru_cache(maxsize=64)
def contents(archive: Path, changed: int) -> Contents:
    """List an archive, once in a process and for its state at the time ``changed``.

    Where everything lies in one folder, as in RAND_CITYSCAPES/RGB/..., its files are found
    without it too, as RGB/....

    Raises:
        SegadaptError: the archive is damaged, or stored in a way that cannot be read.
    """
    try:
        listed = (
            _zip_members(archive) if archive.suffix.lower() == ".zip" else _tar_members(archive)
        )
        members = {
            _inside(member).removeprefix("./"): member
            for member in listed
            # What macOS adds to archives has the names of images and holds none.
            if not PurePosixPath(member.name).name.startswith("._")
        }
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        raise SegadaptError(
            f"{archive}: cannot be read as an archive ({error}); it may be cut off, or compressed "
            "as a whole: unpack it"
        ) from error
    tops = {name.partition("/")[0] for name in members}
    if len(tops) == 1:
        members |= {name.partition("/")[2]: member for name, member in members.items()}
    folders = {parent.as_posix() for name in members for parent in PurePosixPath(name).parents}
    return Contents(members, frozenset(folders))


def _inside(member: Member) -> str:
    """The name of a member, which results are written under elsewhere.

    Raises:
        SegadaptError: it leads outside of the folder that it would be unpacked in.
    """
    if leads_outside(member.name):
        raise SegadaptError(
            f"{member.archive}: holds a file named {member.name!r}, which leads outside of the "
            "folder that it would be unpacked in; get the data set from where it was published"
        )
    return member.name


def leads_outside(name: str) -> bool:
    """Whether a name is no path below a folder, on any system."""
    parts = re.split(r"[/\\]", name)
    return not name or parts[0] == "" or ".." in parts or "\0" in name


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.flag_bits & 1 or info.compress_type not in READABLE_METHODS:
                raise SegadaptError(
                    f"{archive}: {info.filename} is encrypted, or compressed in a way that only "
                    "other programs read; unpack it"
                )
            if not info.is_dir():
                yield Member(archive, info.filename, info.file_size, None)


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:") as tar:
        places: dict[str, tarfile.TarInfo] = {}
        for info in tar:
            # A second name of a file that came before has no content of its own.
            place = places.get(info.linkname) if info.islnk() else info
            if place is not None and place.isfile():
                places[info.name] = place
                yield Member(archive, info.name, place.size, place.offset_data)
        _require_end(archive, tar.offset)


def _require_end(archive: Path, end: int) -> None:
    """A tar file closes with zeros; one that was cut off between two members looks whole."""
    with archive.open("rb") as file:
        file.seek(end)
        closing = file.read(tarfile.BLOCKSIZE)
    if closing.strip(b"\0") or len(closing) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")
