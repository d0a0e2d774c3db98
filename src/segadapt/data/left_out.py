"""What lies among a data set's images and is not read, so that it can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

IMAGE_SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".tga"),
}
"""Of the files that are images, in lower case: what Pillow reads wherever it is installed."""

OTHER_PICTURES = {
    *(".heic", ".heif", ".avif", ".jxl", ".gif", ".svg", ".psd", ".exr", ".hdr", ".ico", ".jpx"),
    *(".dng", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".npy", ".npz"),
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".pcd", ".dcm", ".fits", ".j2k", ".pdf"),
}
"""Of files that show something, in forms that are not read."""

HIDDEN = (".", "@", "__MACOSX")
"""How folders begin that hold copies and previews: .ipynb_checkpoints, @eaDir."""


def is_hidden(parts: Sequence[str]) -> bool:
    """Whether a file of such a path lies in a hidden or a system's folder, or is hidden itself."""
    return any(part.startswith(HIDDEN) for part in parts[:-1]) or parts[-1].startswith(".")


@dataclass
class LeftOut:
    """Files below folders of images that were not taken for images."""

    by_suffix: dict[str, list[str]] = field(default_factory=dict)
    """Names by suffix in lower case."""
    hidden: list[str] = field(default_factory=list)
    """Pictures that are hidden, or in hidden or systems' folders."""
    special: list[str] = field(default_factory=list)
    """Pipes, sockets and devices."""

    def add(self, path: PurePath) -> bool:
        """Note a file by its path below the folder of images; whether it is left out."""
        suffix = path.suffix.lower()
        if is_hidden(path.parts):
            if suffix in IMAGE_SUFFIXES | OTHER_PICTURES:
                self.hidden.append(path.as_posix())
            return True
        if suffix not in IMAGE_SUFFIXES:
            self.by_suffix.setdefault(suffix, []).append(path.as_posix())
            return True
        return False

    def sentences(self, forms: str = ".png or .jpg") -> list[str]:
        """What was left out, how many, and what to do where something can be done.

        ``forms`` is what pictures in other forms are to be converted to.
        """
        told = []
        for suffix, names in sorted(self.by_suffix.items()):
            advice = f"; convert them to {forms}" if suffix in OTHER_PICTURES else ""
            kind = f"of the form {suffix}" if suffix else "without a suffix"
            told.append(_counted(names, "file", f"{kind} {_was(names)} left out{advice}"))
        if self.hidden:
            what = f"in hidden or system folders, or hidden, {_was(self.hidden)} left out"
            told.append(_counted(self.hidden, "image", what))
        if self.special:
            what = f"{_is(self.special)} a pipe, socket or device and {_was(self.special)} left out"
            told.append(_counted(self.special, "image", what))
        return told


def _counted(names: Sequence[str], kind: str, what: str) -> str:
    return f"{len(names)} {kind}{'s' * (len(names) > 1)} {what} (first {min(names)})"


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are each"
