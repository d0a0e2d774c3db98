"""One picture on a page."""

from __future__ import annotations

from dataclasses import dataclass

from segadapt.report.pictures import Inlined


@dataclass(frozen=True)
class Tile:
    """One picture in a group; `kind` is image, truth, prediction or entropy."""

    title: str
    note: str
    kind: str
    inlined: Inlined | None
