"""What methods learned from: mixed and masked images, their labels and weights."""

from __future__ import annotations

import json
from dataclasses import dataclass

from segadapt.report import pictures
from segadapt.report.records import Run, Stage
from segadapt.report.tiles import Tile

FILE = "examples/examples.json"
MOST = 3
"""Images of a batch that are shown."""


@dataclass(frozen=True)
class ExamplesView:
    """The images of one training's last batch."""

    stage: Stage
    rows: list[list[Tile]]


def example_views(run: Run, width: int) -> list[ExamplesView]:
    """The finished trainings that left examples, with pictures at most ``width`` wide."""
    return [
        ExamplesView(stage, _rows(stage, min(width, 240)))
        for stage in run.stages
        if stage.finished and (stage.directory / FILE).is_file()
    ]


def _rows(stage: Stage, width: int) -> list[list[Tile]]:
    path = stage.directory / FILE
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    draw = {
        "image": ("image", pictures.inline_photo),
        "label": ("prediction", pictures.inline_labels),
        "weight": ("entropy", pictures.inline_entropy),
    }
    found = []
    for row in rows[:MOST]:
        tiles = []
        for entry in row:
            # Whatever else is drawn, such as boxes, is a picture as it is.
            kind, inline = draw.get(entry["kind"], draw["image"])
            file = path.parent / entry["file"]
            tiles.append(Tile(entry["title"], "", kind, inline(file, width)))
        found.append(tiles)
    return found
