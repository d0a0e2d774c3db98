"""Pictures of ratios as inline SVG: over commits, and of one table side by side.

Colours come from the style sheet by class, so that they follow the light and the dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from segadapt.report.charts import ticks

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 44, 10, 22
INTERVAL_WIDTH, INTERVAL_HEIGHT = 220, 22


class Point(NamedTuple):
    """One measurement."""

    column: int
    """Place of its commit among those of the chart, from 0."""
    ratio: float
    low: float
    high: float
    told: str
    """What a pointer shows."""


class Axes:
    """Places of commits and ratios in a chart; 1, where both are as fast, is always in it."""

    def __init__(self, points: Sequence[Point], commits: int) -> None:
        low = min(1.0, *(p.low for p in points))
        high = max(1.0, *(p.high for p in points))
        margin = 0.08 * (high - low) or 0.1
        self.low, self.high = max(0.0, low - margin), high + margin
        self._commits = commits

    def x(self, column: int) -> float:
        """Of a commit; one alone stands in the middle, at the left it would begin a line."""
        share = column / (self._commits - 1) if self._commits > 1 else 0.5
        return LEFT + 8 + (WIDTH - LEFT - RIGHT - 16) * share

    def y(self, ratio: float) -> float:
        """Of a ratio."""
        share = (ratio - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def over_commits(points: Sequence[Point], commits: Sequence[str], title: str) -> Markup:
    """Ratios by commit with their spread, and a line at 1."""
    axes = Axes(points, len(commits))
    line = " ".join(f"{axes.x(p.column):.1f},{axes.y(p.ratio):.1f}" for p in points)
    last = points[-1]
    body = [
        *(_level("grid", axes.y(value), f"{value:g}") for value in ticks(axes.low, axes.high, 3)),
        _level("even", axes.y(1.0), ""),
        Markup('<polyline class="course" points="{}"/>').format(line),
        *(_mark(point, axes) for point in points),
        Markup('<text class="latest" x="{:.1f}" y="{:.1f}">{:.2f}</text>').format(
            axes.x(last.column) + 9, axes.y(last.ratio) + 4, last.ratio
        ),
        *_ends(axes, commits),
    ]
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, title, Markup("").join(body))


def _level(kind: str, y: float, text: str) -> Markup:
    return Markup(
        '<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(kind, LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 3.5, text)


def _mark(point: Point, axes: Axes) -> Markup:
    x, low, high = axes.x(point.column), axes.y(point.low), axes.y(point.high)
    return Markup(
        '<g><title>{}</title><line class="spread" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/></g>'
    ).format(point.told, x, x, low, high, x, axes.y(point.ratio))


def _ends(axes: Axes, commits: Sequence[str]) -> list[Markup]:
    """Names of the first and the last commit; once where they are one."""
    first, last = axes.x(0), axes.x(len(commits) - 1)
    if len(commits) == 1:
        return [_below(first, "middle", commits[0])]
    return [_below(first - 8, "start", commits[0]), _below(last + 8, "end", commits[-1])]


def _below(x: float, anchor: str, name: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
        x, HEIGHT - 5, anchor, name
    )


def interval(ratio: float, spread: tuple[float, float], reach: float) -> Markup:
    """A ratio and its spread on a logarithmic scale from 1 / ``reach`` to ``reach``."""
    middle, half = INTERVAL_WIDTH / 2, INTERVAL_HEIGHT / 2

    def x(value: float) -> float:
        return middle + (middle - 6) * math.log(value) / math.log(reach)

    return Markup(
        '<svg class="interval" viewBox="0 0 {} {}" aria-hidden="true">'
        '<line class="even" x1="{}" x2="{}" y1="0" y2="{}"/>'
        '<line class="from" x1="{}" x2="{:.1f}" y1="{}" y2="{}"/>'
        '<line class="spread" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
        '<circle class="dot" cx="{:.1f}" cy="{}" r="4"/></svg>'
    ).format(
        *(INTERVAL_WIDTH, INTERVAL_HEIGHT, middle, middle, INTERVAL_HEIGHT),
        *(middle, x(ratio), half, half),
        *(x(spread[0]), x(spread[1]), half, half),
        *(x(ratio), half),
    )
