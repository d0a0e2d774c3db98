"""Precision by recall of every class, a line for each detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segadapt.report import wording
from segadapt.report.charts import Frame, frame_svg
from segadapt.report.records import Evaluation

COLOURS = 4
"""Further lines are dashed, in the same colours."""


@dataclass(frozen=True)
class Line:
    """One detector: its name, and the style classes of its lines."""

    name: str
    look: str


@dataclass(frozen=True)
class Panel:
    """One class."""

    title: str
    colour: tuple[int, int, int]
    svg: Markup


@dataclass(frozen=True)
class PrecisionChart:
    """The panels of all classes that have boxes, and whose the lines are."""

    lines: list[Line]
    panels: list[Panel]


def precision_chart(evaluation: Evaluation) -> PrecisionChart | None:
    """Precision by recall at IoU 0.5; None where no class has boxes."""
    scores = [score for score in evaluation.scores if any(score.precision)]
    lines = [Line(wording.marked_name(score), look(place)) for place, score in enumerate(scores)]
    panels = []
    for place, name in enumerate(evaluation.classes):
        curves = [score.precision[place] for score in scores]
        known = [(curve, line) for curve, line in zip(curves, lines, strict=True) if curve]
        if known:
            panels.append(Panel(name, evaluation.colours[place], precision_svg(name, known)))
    return PrecisionChart(lines, panels) if panels else None


def look(place: int) -> str:
    """Style classes of the line at ``place``."""
    return f"s{place % COLOURS}" + (" dashed" if place // COLOURS % 2 else "")


def precision_svg(name: str, curves: Sequence[tuple[Sequence[float], Line]]) -> Markup:
    """Precision in percent by recall in percent; each curve ends where its recall does."""
    frame = Frame(0, 100, 0, 100)
    parts = []
    for curve, line in curves:
        last = max((i for i, value in enumerate(curve) if value > 0), default=-1)
        if last < 0:
            continue
        step = 100 / (len(curve) - 1)
        points = [(i * step, 100 * curve[i]) for i in range(last + 1)]
        if last < len(curve) - 1:  # what lies behind is never found
            points.append((last * step, 0.0))
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
        parts.append(
            Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>').format(
                line.look, path, line.name
            )
        )
    return frame_svg(frame, f"Precision by recall, {name}", "recall, %", Markup("").join(parts))
