"""Reads what ``inspect`` stages left."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from segadapt.report.inspection_records import (
    Inspected,
    InspectedImage,
    InspectedPicture,
    Inspection,
    SourceClasses,
)
from segadapt.report.records import Stage

FILE = "inspection.json"
SCORES = ("mean_entropy", "information_maximisation", "soft_neighbourhood_density")


def read_inspections(stages: Sequence[Stage]) -> list[Inspection]:
    """Those of the finished stages."""
    return [
        _read(stage.directory)
        for stage in stages
        if stage.finished and stage.kind == "inspect" and (stage.directory / FILE).is_file()
    ]


def _read(directory: Path) -> Inspection:
    raw = json.loads((directory / FILE).read_text(encoding="utf-8"))
    images = [InspectedImage(x["name"], x["agreement"], x["entropy"]) for x in raw["images"]]
    return Inspection(
        domain=raw["domain"],
        of=raw["of"],
        classes=raw["classes"],
        colours=[(r, g, b) for r, g, b in raw["colours"]],
        source=SourceClasses(**raw["source"]) if raw["source"] else None,
        checkpoints=[
            Inspected(
                row["checkpoint"],
                row["oracle"],
                {name: row[name] for name in SCORES if math.isfinite(row.get(name, math.nan))},
                row["counts"],
            )
            for row in raw["checkpoints"]
        ],
        agreement=raw["agreement"],
        images=images,
        pictures=[
            InspectedPicture(images[x["image_number"]], x["why"], directory / x["folder"], x)
            for x in raw["pictures"]
        ],
    )
