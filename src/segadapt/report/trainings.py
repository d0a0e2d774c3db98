"""What was logged of the trainings: losses, scores on the way, and the classes that were drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass

from segadapt.report.curves import CurveChart, loss_chart, loss_charts
from segadapt.report.read import MEASURES
from segadapt.report.records import LossLog, Run, Stage


@dataclass(frozen=True)
class DrawnClass:
    """One class of rare class sampling."""

    name: str
    colour: tuple[int, int, int]
    drawn: float
    """Share of the images that were drawn for it."""
    pixels: float
    """Share of the source's labelled pixels."""


@dataclass(frozen=True)
class TrainingView:
    """Everything shown about one training."""

    stage: Stage
    log: LossLog
    panels: list[CurveChart]
    drawn: list[DrawnClass]


def training_views(run: Run) -> list[TrainingView]:
    """The stages with a log of losses."""
    found = []
    for stage in run.stages:
        log = run.logs.get(stage.number)
        if log is not None and log.losses:
            panels = [*loss_charts(log), *_validation(stage)]
            found.append(TrainingView(stage, log, panels, _drawn(stage)))
    return found


def _validation(stage: Stage) -> list[CurveChart]:
    path = stage.directory / "validation.jsonl"
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    known = (x for x in MEASURES if any(row.get(MEASURES[x]) is not None for row in rows))
    measure = next(known, "accuracy")
    key = MEASURES[measure]
    points = [(row["iteration"], 100 * row[key]) for row in rows if row.get(key) is not None]
    if not points:
        return []
    domain = rows[-1]["domain"]
    return [loss_chart(f"Shown alone, nothing is chosen by it: {domain}", {measure: points})]


def _drawn(stage: Stage) -> list[DrawnClass]:
    path = stage.directory / "drawn_classes.json"
    if not path.is_file():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))["classes"]
    drawn = sum(row["drawn"] for row in rows) or 1
    pixels = sum(row["pixels"] for row in rows) or 1
    return [
        DrawnClass(
            str(row["name"]),
            (row["colour"][0], row["colour"][1], row["colour"][2]),
            row["drawn"] / drawn,
            row["pixels"] / pixels,
        )
        for row in rows
    ]
