"""Charts of a comparison: scores by stage and group, and differences with their spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from segadapt.report.charts import ticks
from segadapt.report.comparison import Line
from segadapt.report.run_settings import shortened
from segadapt.report.spreads import Spread, is_clear

WIDTH, RIGHT = 620, 16
LETTER = 6.8
"""Width of a letter of a name, about."""
ROW, GAP = 19, 13
BAR_WIDTH, BAR_HEIGHT = 150, 16


def score_chart(lines: Sequence[Line], letters: Sequence[str]) -> Markup:
    """A block per stage with a row per group: a dot per seed and a bar at their mean."""
    values = [100 * v for line in lines for e in line.entries if e for v in e.value.values]
    if not values:
        return Markup("")
    margin = max(1.0, 0.08 * (max(values) - min(values)))
    low, high = min(values) - margin, max(values) + margin
    left = min(250, 24 + LETTER * max(len(line.shown) for line in lines))
    height = len(lines) * (len(letters) * ROW + GAP) + 30

    def x(value: float) -> float:
        return left + (WIDTH - left - RIGHT) * (value - low) / (high - low)

    parts = [
        Markup(
            f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="2" '
            f'y2="{height - 26}"/>'
            f'<text class="tick" x="{x(value):.1f}" y="{height - 10}" text-anchor="middle">'
            f"{value:g}</text>"
        )
        for value in ticks(low, high, 5)
    ]
    top = 6
    for line in lines:
        middle = top + len(letters) * ROW / 2 + 4
        parts.append(
            Markup('<text class="label" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                left - 14, middle, shortened(line.shown, 33)
            )
        )
        for place, entry in enumerate(line.entries):
            y = top + place * ROW + ROW / 2
            if entry is not None:
                look = f"g{place % 4}{' oracle' if entry.mark else ''}"
                parts.append(_dots(entry.value, y, look, letters[place], x))
        top += len(letters) * ROW + GAP
        if line is not lines[-1]:
            y = top - GAP / 2
            parts.append(Markup(f'<path class="grid" d="M0 {y:.1f}H{WIDTH}"/>'))
    return Markup(
        '<svg class="strips" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, "Score of every stage, group and seed", Markup("").join(parts))


def _dots(value: Spread, y: float, look: str, letter: str, x: Callable[[float], float]) -> Markup:
    mean = x(100 * value.mean)
    dots = [
        Markup(f'<circle class="dots {look}" cx="{x(100 * v):.1f}" cy="{y:.1f}" r="4.2">')
        + Markup(f"<title>{letter}: {100 * v:.1f}</title></circle>")
        for v in value.values
    ]
    bar = f'<rect class="means {look}" x="{mean - 1.5:.1f}" y="{y - 8:.1f}" width="3" height="16"/>'
    return Markup("").join([Markup(bar), *dots] if len(dots) > 1 else dots)


def difference_bar(value: Spread | None, most: float) -> Markup:
    """A bar from the middle to the difference, with a whisker of one deviation to each side.

    Args:
        value: the difference as a fraction.
        most: the fraction at either end of the scale.
    """
    middle = BAR_WIDTH / 2

    def x(fraction: float) -> float:
        return middle + (middle - 2) * max(-1.0, min(1.0, fraction / (most or 1.0)))

    parts = [f'<line class="axis" x1="{middle}" x2="{middle}" y1="0" y2="{BAR_HEIGHT}"/>']
    if value is not None:
        left, right = sorted((middle, x(value.mean)))
        sign = "down" if value.mean < 0 else "up"
        doubt = " unclear" if value.deviation is not None and not is_clear(value) else ""
        parts.append(
            f'<rect class="apart {sign}{doubt}" x="{left:.1f}" y="3" width="{right - left:.1f}" '
            f'height="{BAR_HEIGHT - 6}"/>'
        )
        if value.deviation:
            ends = [x(value.mean - value.deviation), x(value.mean + value.deviation)]
            parts.append(
                f'<path class="whisker" d="M{ends[0]:.1f} 8H{ends[1]:.1f}'
                + "".join(f"M{end:.1f} 5v6" for end in ends)
                + '"/>'
            )
    return Markup(
        f'<svg class="difference" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" width="{BAR_WIDTH}" '
        f'height="{BAR_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def scale_of(values: Sequence[Spread | None]) -> float:
    """The largest distance from zero that a bar or its whisker reaches, as a fraction."""
    reach = [abs(v.mean) + (v.deviation or 0.0) for v in values if v is not None]
    return max([r for r in reach if math.isfinite(r)], default=0.0)
