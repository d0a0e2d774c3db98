"""Label-free scores of a training's snapshots, where no target label says which is best."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segadapt.report import wording
from segadapt.report.charts import Frame, frame_svg
from segadapt.report.records import Stage

FILE = "selection.json"


@dataclass(frozen=True)
class SnapshotCurve:
    """One score by iteration; more is better."""

    name: str
    used: bool
    """It chose."""
    svg: Markup


@dataclass(frozen=True)
class SnapshotCurves:
    """The scores that one ``select`` stage looked at."""

    stage: Stage
    trained: str
    score: str
    chosen: int
    last: int
    curves: list[SnapshotCurve]


def snapshot_curves(stages: Sequence[Stage]) -> list[SnapshotCurves]:
    """Those of all finished ``select`` stages."""
    return [
        _curves(stage)
        for stage in stages
        if stage.finished and stage.kind == "select" and (stage.directory / FILE).is_file()
    ]


def _curves(stage: Stage) -> SnapshotCurves:
    raw = json.loads((stage.directory / FILE).read_text(encoding="utf-8"))
    snapshots, chosen = raw["snapshots"], int(raw["chosen"])
    iterations = [int(x["iteration"]) for x in snapshots]
    curves = []
    for name in snapshots[0]["scores"]:
        values = [float(x["scores"][name]) for x in snapshots]
        shown = wording.LABEL_FREE.get(name, name)
        curves.append(
            SnapshotCurve(shown, name == raw["score"], _svg(shown, iterations, values, chosen))
        )
    score = wording.LABEL_FREE.get(raw["score"], raw["score"])
    return SnapshotCurves(stage, str(raw["trained"]), score, chosen, iterations[-1], curves)


def _svg(name: str, iterations: Sequence[int], values: Sequence[float], chosen: int) -> Markup:
    margin = max(0.005, 0.15 * (max(values) - min(values)))
    frame = Frame(0, iterations[-1], min(values) - margin, max(values) + margin)
    places = [(frame.x(i), frame.y(v)) for i, v in zip(iterations, values, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [Markup(f'<polyline class="line s0" points="{path}"/>')]
    for iteration, value, (x, y) in zip(iterations, values, places, strict=True):
        kind, radius = ("dot chosen", 6) if iteration == chosen else ("dot", 3.5)
        parts.append(
            Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
                kind, f"{x:.1f}", f"{y:.1f}", radius, f"iteration {iteration}: {value:.3f}"
            )
        )
    return frame_svg(frame, f"{name} of the snapshots", "iteration", Markup("").join(parts))
