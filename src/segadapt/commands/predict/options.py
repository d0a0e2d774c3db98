"""What the options of ``predict`` say, in the terms of the package."""

from __future__ import annotations

from pathlib import Path

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.base.errors import SegadaptError
from segadapt.commands.predict.run import Size
from segadapt.commands.predict.segments import Kind

NATIVE = "native"


def kinds_of(text: str | None) -> tuple[Kind, ...] | None:
    """``--write labels,overlays``.

    Raises:
        SegadaptError: one of them cannot be written.
    """
    if text is None:
        return None
    names = list(dict.fromkeys(x.strip() for x in text.split(",")))
    unknown = [x for x in names if x not in list(Kind)]
    if unknown:
        raise SegadaptError(
            f"--write {text}: {unknown[0]!r} is not known; choose of {', '.join(Kind)}, with "
            "commas between"
        )
    return tuple(Kind(x) for x in names)


def size_of(text: str | None) -> Size | None:
    """``--size 512x1024``, height first, or ``native``.

    Raises:
        SegadaptError: it is neither.
    """
    if text is None:
        return None
    if text == NATIVE:
        return Size(None)
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(x.isascii() and x.isdigit() and int(x) > 0 for x in sides):
        raise SegadaptError(f"--size {text}: write HEIGHTxWIDTH as in 512x1024, or {NATIVE}")
    return Size((int(sides[0]), int(sides[1])))


def last_checkpoint(path: Path) -> Path:
    """Of a run's folder the checkpoint of its last stage that has one; else the path itself."""
    if not path.is_dir() or (path / CHECKPOINT_FILE).is_file():
        return path
    inside = [x for x in path.glob(f"*-*/{CHECKPOINT_FILE}") if x.parent.name[:1].isdigit()]
    return max(inside, key=lambda x: int(x.parent.name.partition("-")[0]), default=path)
