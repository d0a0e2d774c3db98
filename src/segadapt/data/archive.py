"""One archive: what lies in a .zip or .tar file, and a file's content without unpacking it."""

from __future__ import annotations

import io
import lzma
import os
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from segadapt.base.errors import SegadaptError, shortened
from segadapt.data.archive_links import link_target, with_links
from segadapt.data.left_out import IMAGE_SUFFIXES

SUFFIXES = (".zip", ".tar")
READABLE_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
)
MOST_BYTES = 2**30
"""Of a file: no image is as large, but a small archive can hold what says that it is."""
LONGEST_PATH = 4096
"""As of Linux."""
DEEPEST = 50
"""Folders in one another: all of them are kept, of every file."""
# What the readers of archives raise on damaged ones.
DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, LookupError, OverflowError, RuntimeError, ValueError),
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
        if self.size > MOST_BYTES:
            raise OSError(
                f"it would take {self.size / 2**30:.1f} GiB of memory; if it is so large, unpack it"
            )
        try:
            content = self._zipped() if self.offset is None else self._in_tar(self.offset)
        except DAMAGED as error:
            raise OSError(f"{self.archive} is damaged or was changed: {error}") from error
        if len(content) < self.size:
            raise OSError(f"{self.archive} is damaged or was changed: it ends too early")
        return io.BytesIO(content)

    def _zipped(self) -> bytes:
        # Per process: a handle that forked processes share would have one position for all.
        return _zip_file(self.archive, os.getpid()).read(self.name)

    def _in_tar(self, offset: int) -> bytes:
        with self.archive.open("rb") as file:
            file.seek(offset)
            return file.read(self.size)


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
    read = _zip_list if archive.suffix.lower() == ".zip" else _tar_list
    try:
        members, links = read(archive)
    except (*DAMAGED, OSError) as error:
        raise SegadaptError(
            f"{archive}: cannot be read as an archive ({error}); it may be cut off, or compressed "
            "as a whole: unpack it"
        ) from error
    members = with_links(members, links, archive)
    # What macOS adds to archives has the names of images and holds none.
    members = {n: m for n, m in members.items() if not PurePosixPath(n).name.startswith("._")}
    tops = {name.partition("/")[0] for name in members}
    if len(tops) == 1:
        members |= {name.partition("/")[2]: member for name, member in members.items()}
    folders = {parent.as_posix() for name in members for parent in PurePosixPath(name).parents}
    return Contents(members, frozenset(folders))


def _inside(archive: Path, name: str) -> str:
    """The name of a member, which results are written under elsewhere.

    Raises:
        SegadaptError: it leads outside of the folder that it would be unpacked in.
    """
    if leads_outside(name):
        raise SegadaptError(
            f"{archive}: holds a file named {name!r}, which leads outside of the folder that it "
            "would be unpacked in; get the data set from where it was published"
        )
    if len(name) > LONGEST_PATH or name.count("/") > DEEPEST:
        raise SegadaptError(
            f"{archive}: holds a file whose path is longer or deeper than files' are "
            f"({shortened(name)}); get the data set from where it was published"
        )
    return posixpath.normpath(name)


def leads_outside(name: str) -> bool:
    """Whether a name is no path below a folder, on any system."""
    parts = re.split(r"[/\\]", name)
    drive = len(parts) > 1 and re.fullmatch("[A-Za-z]:", parts[0])
    return not name or parts[0] == "" or bool(drive) or ".." in parts or "\0" in name


Listing = tuple[dict[str, Member], dict[str, str]]
"""Files by path, and where links lead, by their paths."""


def _zip_list(archive: Path) -> Listing:
    members: dict[str, Member] = {}
    links: dict[str, str] = {}
    with zipfile.ZipFile(archive) as file:
        infos = file.infolist()
        # Some programs of Windows write paths as they are there, against the format.
        windows = not any("/" in info.filename for info in infos)
        for info in infos:
            if info.flag_bits & 1 or info.compress_type not in READABLE_METHODS:
                raise SegadaptError(
                    f"{archive}: {info.filename} is encrypted, or compressed in a way that only "
                    "other programs read; unpack it"
                )
            name = _inside(archive, info.filename)
            name = name.replace("\\", "/") if windows else name
            kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == UNIX else 0
            if info.is_dir() or name.endswith("/"):
                continue
            if kind == stat.S_IFLNK:
                links[name] = link_target(archive, name, _zipped_link(file, info))
            elif kind in (0, stat.S_IFREG):
                members[name] = Member(archive, info.filename, info.file_size, None)
            else:
                _require_no_image(archive, name)
    return members, links


UNIX = 3
"""Of a zip file's entries: the system whose attributes they have."""


def _zipped_link(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    if info.file_size > LONGEST_PATH:
        raise zipfile.BadZipFile(f"the link {info.filename} is too long")
    return os.fsdecode(file.read(info))


def _tar_list(archive: Path) -> Listing:
    members: dict[str, Member] = {}
    links: dict[str, str] = {}
    with tarfile.open(archive, "r:") as tar:
        for info in tar:
            if info.isdir():
                continue
            name = _inside(archive, info.name)
            if info.issparse():
                raise SegadaptError(
                    f"{archive}: {info.name} is stored with its empty parts left out; unpack it"
                )
            # What comes later takes the place of what has the same name.
            before, _ = members.pop(name, None), links.pop(name, None)
            if info.isfile():
                members[name] = Member(archive, info.name, info.size, info.offset_data)
            elif info.issym() or info.islnk():
                links[name] = link_target(archive, name, info.linkname, from_top=info.islnk())
                if links[name] == name and before is not None:  # a second name that is the first
                    members[name] = before
                    del links[name]
            else:
                _require_no_image(archive, name)
        _require_end(archive, tar.offset)
    return members, links


def _require_no_image(archive: Path, name: str) -> None:
    if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
        raise SegadaptError(
            f"{archive}: {name!r} is a pipe, socket or device; get the data set from where it was "
            "published"
        )


def _require_end(archive: Path, end: int) -> None:
    """A tar file closes with zeros; one that was cut off between two members looks whole."""
    with archive.open("rb") as file:
        file.seek(end)
        closing = file.read(tarfile.BLOCKSIZE)
    if closing.strip(b"\0") or len(closing) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")
