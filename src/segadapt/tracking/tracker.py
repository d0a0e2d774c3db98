"""What every tracker can do, and what it is told of a run when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

PROJECT = "segadapt"
"""What runs are filed under where the tracker's own variable names nothing else."""


@dataclass(frozen=True)
class RunToTrack:
    """A run, as a tracker files it."""

    id: str
    """The same whenever the run goes on; another after ``--redo``."""
    name: str
    """Recipe and seed."""
    folder: Path
    """Where a tracker keeps what it keeps on this machine."""
    settings: Mapping[str, Any]
    """The recipe's, nested as they stand there, with ``seed`` and ``version``."""


class Tracker(Protocol):
    """An open run of a tracking library. Any of its calls may raise whatever the library does."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers at an iteration of a stage; all names begin with ``STAGE/``."""

    def picture(self, name: str, picture: Image.Image) -> None:
        """An RGB picture; the name begins with ``STAGE/``."""

    def finish(self, complete: bool) -> None:
        """Send what is waiting; ``complete`` is false where the run stopped or failed."""


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested settings as ``a.b.c`` and text, for libraries that know nothing else."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = str(value)
    return found
