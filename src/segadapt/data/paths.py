"""Paths into a data set that is unpacked, or lies in its archives, or both."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from segadapt.base.errors import SegadaptError
from segadapt.base.text_file import MOST_BYTES, read_ordinary
from segadapt.data.archive import SUFFIXES, Contents, Member, contents
from segadapt.data.arrays import ArrayPath

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")


@dataclass(frozen=True)
class _Tree:
    """A folder and the archives in it, none of them opened yet."""

    root: Path
    archives: tuple[tuple[Path, int], ...]
    """Archives, with the times of their last change."""

    def search(self, inner: PurePosixPath) -> list[Contents]:
        """Contents of the archives that ``inner`` may be in.

        Where archives are named after its first folder and hold it, as that of
        ``leftImg8bit_foggy/train`` does with ``leftImg8bit_trainvaltest_foggy.zip``, no other is
        opened: none of labels where images alone are asked for.
        """
        top = inner.parts[0] if inner.parts else ""
        words = re.split(r"[_\W]+", top.lower())
        named = [x for x in self.archives if all(word in x[0].name.lower() for word in words)]
        found = [contents(*archive) for archive in named]
        if any(top in archive.folders for archive in found):
            return found
        return [contents(*archive) for archive in self.archives]


@dataclass(frozen=True)
class ArchivePath:
    """A path in a data set that lies, wholly or in part, in archives; used like a ``Path``.

    What is unpacked in the same folder goes first: no archive is opened for a file whose folder
    is unpacked.
    """

    tree: _Tree = field(repr=False)
    inner: PurePosixPath

    def __truediv__(self, other: str | PurePosixPath) -> ArchivePath:
        return ArchivePath(self.tree, self.inner / other)

    def __str__(self) -> str:
        member = self._member()
        return str(self.unpacked) if member is None else f"{member.archive}:{member.name}"

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

    @property
    def unpacked(self) -> Path:
        """Where the file is if it is unpacked."""
        return self.tree.root / self.inner

    def _member(self) -> Member | None:
        if self.unpacked.is_file() or (self.inner.parts[1:] and self.unpacked.parent.is_dir()):
            return None
        name = self.inner.as_posix()
        places = (
            found.members[name] for found in self.tree.search(self.inner) if name in found.members
        )
        return next(places, None)

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return self.unpacked.is_file() or self._member() is not None

    def is_dir(self) -> bool:
        """Whether there is such a folder."""
        folder = self.inner.as_posix()
        return self.unpacked.is_dir() or any(
            folder in found.folders for found in self.tree.search(self.inner)
        )

    def files(self) -> list[ArchivePath]:
        """All files of the archives below this folder, at any depth, sorted by path."""
        prefix = f"{self.inner.as_posix()}/"
        found = {n for x in self.tree.search(self.inner) for n in x.members if n.startswith(prefix)}
        return [ArchivePath(self.tree, PurePosixPath(name)) for name in sorted(found)]

    def relative_to(self, folder: ArchivePath) -> PurePosixPath:
        """The rest of the path below ``folder``."""
        return self.inner.relative_to(folder.inner)

    def size(self) -> int:
        """Bytes of the file."""
        member = self._member()
        return member.size if member is not None else self.unpacked.stat().st_size

    def stat(self) -> os.stat_result:
        """State of the file, or of the archive that it is in.

        Raises:
            OSError: there is none.
        """
        member = self._member()
        return (self.unpacked if member is None else member.archive).stat()

    def open(self) -> IO[bytes]:
        """The file's content.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: the archive is damaged.
        """
        member = self._member()
        return member.open() if member is not None else self.unpacked.open("rb")

    def read_bytes(self) -> bytes:
        """The content of a small file.

        Raises:
            OSError: there is none, it is no ordinary file, or is too large.
        """
        member = self._member()
        if member is None:
            return read_ordinary(self.unpacked)
        if member.size > MOST_BYTES:
            raise OSError(f"it has {member.size / 2**20:.0f} MiB, which is too much")
        with member.open() as file:
            return file.read()


DataPath = Path | ArchivePath
"""Of a file or a folder of a data set."""
FilePath = Path | ArchivePath | ArrayPath
"""Of a picture or a label."""


def on_disk(root: DataPath, what: str) -> Path:
    """A data set's root where it must be an ordinary folder.

    Raises:
        SegadaptError: it is in an archive.
    """
    if isinstance(root, Path):
        return root
    if root.unpacked.is_dir():
        return root.unpacked
    raise SegadaptError(f"{root}: {what} cannot be read from an archive; unpack it")


def open_root(root: Path) -> DataPath:
    """A data set's root: an ordinary folder as it is, an archive or a folder of some as paths.

    Raises:
        SegadaptError: the root is a file, and none that files can be read from one by one.
    """
    if root.is_file():
        if root.suffix.lower() not in SUFFIXES:
            raise SegadaptError(
                f"{root}: is neither a folder nor a .zip or uncompressed .tar file; unpack it"
            )
        tree = _Tree(root.with_name(f"{root.name}:"), (_with_time(root),))
        return ArchivePath(tree, PurePosixPath())
    archives = sorted(p for p in _listed(root) if p.suffix.lower() in SUFFIXES and p.is_file())
    if not archives:
        return root
    return ArchivePath(_Tree(root, tuple(map(_with_time, archives))), PurePosixPath())


def _listed(root: Path) -> list[Path]:
    try:
        return list(root.iterdir()) if root.is_dir() else []
    except OSError as error:
        raise SegadaptError(f"{root}: cannot be listed ({error.strerror})") from error


def _with_time(archive: Path) -> tuple[Path, int]:
    return archive, archive.stat().st_mtime_ns


def read_small(path: DataPath) -> bytes:
    """The content of a small file, as of classes or a list, on disk or in an archive.

    Raises:
        OSError: there is none, it is no ordinary file, or is too large.
    """
    return read_ordinary(path) if isinstance(path, Path) else path.read_bytes()


def compressed_archives(root: Path) -> list[str]:
    """Names of a folder's archives that files cannot be read from one by one."""
    return sorted(p.name for p in _listed(root) if p.name.lower().endswith(COMPRESSED))
