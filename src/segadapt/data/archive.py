"""Data sets that stay in their archives: paths into .zip and .tar files, read without unpacking."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from segadapt.errors import SegadaptError

SUFFIXES = (".zip", ".tar")
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class _Member:
    """A file in an archive; ``offset`` is that of a tar file's content, None in a zip file."""

    archive: Path
    name: str
    size: int
    offset: int | None


@dataclass(frozen=True, eq=False)
class _Tree:
    """All files of a folder's archives, by their paths in the data set."""

    root: Path
    members: dict[str, _Member] = field(repr=False)
    folders: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class ArchivePath:
    """A path in a data set that lies, wholly or in part, in archives; used like a ``Path``.

    What is unpacked in the same folder is found too.
    """

    tree: _Tree = field(repr=False)
    inner: PurePosixPath

    def __truediv__(self, other: str | PurePosixPath) -> ArchivePath:
        return ArchivePath(self.tree, self.inner / other)

    def __str__(self) -> str:
        member = self._member()
        if member is not None:
            return f"{member.archive}:{member.name}"
        return str(self.tree.root / self.inner)

    def __lt__(self, other: ArchivePath) -> bool:
        return self.inner < other.inner

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.inner.name

    @property
    def stem(self) -> str:
        """Last part without its suffix."""
        return self.inner.stem

    @property
    def suffix(self) -> str:
        """Suffix with its dot."""
        return self.inner.suffix

    def _member(self) -> _Member | None:
        return self.tree.members.get(self.inner.as_posix())

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return self._member() is not None or (self.tree.root / self.inner).is_file()

    def is_dir(self) -> bool:
        """Whether there is such a folder."""
        folder = self.inner.as_posix()
        return folder in self.tree.folders or (self.tree.root / self.inner).is_dir()

    def files(self) -> Iterator[ArchivePath]:
        """All files below this folder, at any depth."""
        prefix = "" if self.inner == PurePosixPath() else f"{self.inner.as_posix()}/"
        names = {name for name in self.tree.members if name.startswith(prefix)}
        folder = self.tree.root / self.inner
        if folder.is_dir():
            found = (path for path in folder.rglob("*") if path.is_file())
            names |= {path.relative_to(self.tree.root).as_posix() for path in found}
        return (ArchivePath(self.tree, PurePosixPath(name)) for name in sorted(names))

    def relative_to(self, folder: ArchivePath) -> PurePosixPath:
        """The rest of the path below ``folder``."""
        return self.inner.relative_to(folder.inner)

    def size(self) -> int:
        """Bytes of the file."""
        member = self._member()
        return member.size if member else (self.tree.root / self.inner).stat().st_size

    def open(self) -> IO[bytes]:
        """The file's content.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: the archive is damaged.
        """
        member = self._member()
        if member is None:
            return (self.tree.root / self.inner).open("rb")
        if member.offset is not None:
            return io.BytesIO(_tar_content(member.archive, member.offset, member.size))
        try:
            # Per process: a handle that forked processes share would have one position for all.
            return io.BytesIO(_zip_file(member.archive, os.getpid()).read(member.name))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise OSError(f"{member.archive}: {error}") from error

    def read_text(self) -> str:
        """The file's content as text."""
        with self.open() as file:
            return file.read().decode()


@lru_cache(maxsize=32)
def _zip_file(archive: Path, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def _tar_content(archive: Path, offset: int, size: int) -> bytes:
    with archive.open("rb") as file:
        file.seek(offset)
        return file.read(size)


DataPath = Path | ArchivePath


def open_root(root: Path) -> DataPath:
    """A data set's root: an ordinary folder as it is, an archive or a folder of some as paths.

    Raises:
        SegadaptError: an archive is damaged, or compressed as a whole, so that no file in it can
            be read without reading all before it.
    """
    if root.is_file():
        archives = [root]
    elif root.is_dir():
        archives = sorted(path for path in root.iterdir() if path.suffix in SUFFIXES)
    else:
        return root
    for archive in archives:
        if archive.name.endswith(COMPRESSED) or archive.suffix not in SUFFIXES:
            raise SegadaptError(
                f"{archive}: is neither a folder nor a .zip or uncompressed .tar file; unpack it"
            )
    if not archives:
        return root
    members: dict[str, _Member] = {}
    for archive in archives:
        found = {
            member.name.removeprefix("./"): member
            for member in _members(archive, archive.stat().st_mtime_ns)
        }
        tops = {name.partition("/")[0] for name in found}
        if len(tops) == 1:  # RAND_CITYSCAPES/RGB/... is found as RGB/... too
            found |= {name.partition("/")[2]: member for name, member in list(found.items())}
        members |= found
    folders = {parent.as_posix() for name in members for parent in PurePosixPath(name).parents}
    base = root if root.is_dir() else root.parent / f"{root.name}:"
    return ArchivePath(_Tree(base, members, frozenset(folders)), PurePosixPath())


@lru_cache(maxsize=32)
def _members(archive: Path, changed: int) -> list[_Member]:
    """The files of an archive; a domain is opened more than once, its archives are read once."""
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as file:
                return [
                    _Member(archive, info.filename, info.file_size, None)
                    for info in file.infolist()
                    if not info.is_dir()
                ]
        with tarfile.open(archive, "r:") as tar:
            return [
                _Member(archive, info.name, info.size, info.offset_data)
                for info in tar
                if info.isfile()
            ]
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        raise SegadaptError(
            f"{archive}: cannot be read as an archive ({error}); it may be cut off, or compressed "
            "as a whole: unpack it"
        ) from error
