"""Charts as inline SVG text: mIoU bars, entropy histogram, ranked curve, confusion matrix.

Every function is pure. Colours come from the style sheet by class, so that a chart follows the
light and the dark scheme; text handed in is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 12, 36
TEXT = 20.0
"""Percent of a bar chart's width that a value and its note may take."""


@dataclass(frozen=True)
class Bar:
    """One checkpoint in the bar chart; `note` follows the value."""

    name: str
    fraction: float | None
    note: str = ""
    is_oracle: bool = False


@dataclass(frozen=True)
class Frame:
    """Maps data to the drawing area of a WIDTH x HEIGHT chart."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """Horizontal place of a data value."""
        span = (self.x_high - self.x_low) or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self.x_low) / span

    def y(self, value: float) -> float:
        """Vertical place of a data value, kept inside the drawing area."""
        span = (self.y_high - self.y_low) or 1.0
        share = min(1.0, max(0.0, (value - self.y_low) / span))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers covering low..high, near `about` of them."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    # Steps of 25 or 0.25 read well, 2.5 does not.
    factors = (1, 2, 5, 10) if power == 1 else (1, 2, 2.5, 5, 10)
    step = next(power * m for m in factors if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 10) + 0.0 for i in range(first, last + 1)]


def frame_svg(frame: Frame, title: str, x_label: str, body: Markup, x_about: int = 4) -> Markup:
    """A chart: grid, axes, labels and the given body."""
    parts: list[Markup] = []
    for value in ticks(frame.y_low, frame.y_high):
        y = frame.y(value)
        parts.append(
            Markup(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        )
        parts.append(
            Markup(
                f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" '
                f'text-anchor="end">{value:g}</text>'
            )
        )
    base = HEIGHT - BOTTOM
    for value in ticks(frame.x_low, frame.x_high, x_about):
        x = frame.x(value)
        parts.append(
            Markup(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
        )
        parts.append(
            Markup(
                f'<text class="tick" x="{x:.1f}" y="{base + 15}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        )
    parts.append(body)
    parts.append(
        Markup(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    )
    parts.append(
        Markup('<text class="label" x="{}" y="{}" text-anchor="end">{}</text>').format(
            WIDTH - RIGHT, HEIGHT - 4, x_label
        )
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, title, Markup("").join(parts))


@dataclass(frozen=True)
class Strip:
    """One checkpoint over several seeds."""

    name: str
    fractions: Sequence[float]
    is_oracle: bool = False


def strips(rows: Sequence[Strip]) -> Markup:
    """A line per checkpoint with a dot per seed and a bar at their mean, on one scale."""
    values = [100 * value for row in rows for value in row.fractions]
    margin = max(1.0, 0.08 * (max(values) - min(values)))
    low, high = min(values) - margin, max(values) + margin
    step, left, width = 40, 150, 560
    height = step * len(rows) + 34

    def x(value: float) -> float:
        return left + (width - left - 20) * (value - low) / (high - low)

    parts = []
    for value in ticks(low, high, 5):
        parts.append(
            Markup(
                f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="4" '
                f'y2="{height - 26}"/><text class="tick" x="{x(value):.1f}" y="{height - 10}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        )
    for place, row in enumerate(rows):
        y = step * place + 24
        kind = "oracle" if row.is_oracle else ("first" if place == 0 else "other")
        parts.append(
            Markup('<text class="label" x="{}" y="{}" text-anchor="end">{}</text>').format(
                left - 14, y + 4, row.name
            )
        )
        mean = 100 * sum(row.fractions) / len(row.fractions)
        parts.append(
            Markup(
                f'<rect class="strip-mean {kind}" x="{x(mean) - 1.5:.1f}" y="{y - 12}" '
                'width="3" height="24"/>'
            )
        )
        for value in row.fractions:
            parts.append(
                Markup(
                    f'<circle class="strip-dot {kind}" cx="{x(100 * value):.1f}" cy="{y}" r="4.5">'
                    f"<title>{100 * value:.1f}</title></circle>"
                )
            )
    return Markup(
        '<svg class="strips" viewBox="0 0 {} {}" role="img" '
        'aria-label="Score of every checkpoint and seed">{}</svg>'
    ).format(width, height, Markup("").join(parts))


def score_bars(bars: Sequence[Bar], key: str) -> Markup:
    """Horizontal bars with their values; widths are in percent, so the text keeps its size."""
    values = [bar.fraction for bar in bars if bar.fraction is not None]
    top = max(values, default=0.0) or 1.0
    row, share = 54, 72.0
    parts = [
        Markup(
            '<pattern id="hatch-{}" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect class="hatch-ground" width="6" '
            'height="6"/><rect class="hatch-line" width="2" height="6"/></pattern>'
        ).format(key)
    ]
    for place, bar in enumerate(bars):
        y = place * row
        name = Markup('<tspan class="bar-name">{}</tspan>').format(bar.name)
        if bar.is_oracle:
            name += Markup('<tspan class="bar-note" dx="8">uses target labels</tspan>')
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(y + 16, name))
        if bar.fraction is None:
            parts.append(
                Markup('<text class="bar-note" x="0" y="{}">no score</text>').format(y + 36)
            )
            continue
        width = share * bar.fraction / top
        start = share * (bars[0].fraction or 0.0) / top
        # The dotted line of the first bar's end would cross the text of a bar a little shorter.
        after = start if place and 0 < start - width < TEXT else width
        look = f'fill="url(#hatch-{escape(key)})"' if bar.is_oracle else ""
        kind = "bar oracle" if bar.is_oracle else ("bar first" if place == 0 else "bar")
        parts.append(
            Markup(
                f'<rect class="{kind}" {look} x="0" y="{y + 23}" width="{width:.2f}%" height="18"/>'
            )
        )
        parts.append(
            Markup(
                '<text x="{}%" dx="8" y="{}"><tspan class="bar-value">{}</tspan>'
                '<tspan class="bar-note" dx="8">{}</tspan></text>'
            ).format(f"{after:.2f}", y + 37, f"{100 * bar.fraction:.1f}", bar.note)
        )
        if place and bars[0].fraction is not None:
            at = f"{start:.2f}%"
            parts.append(
                Markup(f'<line class="start" x1="{at}" x2="{at}" y1="{y + 20}" y2="{y + 44}"/>')
            )
    return Markup(
        '<svg class="bars" width="100%" height="{}" role="img" '
        'aria-label="Score of every checkpoint">{}</svg>'
    ).format(len(bars) * row, Markup("").join(parts))


def histogram(scores: Sequence[float], is_easy: Sequence[bool], bins: int = 24) -> Markup:
    """How often each entropy score occurs, easy and hard stacked, with the boundary."""
    low, high = min(scores), max(scores)
    step = (high - low) / bins or 1.0
    boundary = _boundary_score(scores, is_easy)
    if boundary is not None and boundary > low:  # let the boundary fall between two bins
        step = (boundary - low) / max(1, round((boundary - low) / step))
        bins = max(1, math.ceil((high - low) / step))
    counts = [[0, 0] for _ in range(bins)]
    for score, easy in zip(scores, is_easy, strict=True):
        counts[min(bins - 1, int((score - low) / step))][0 if easy else 1] += 1
    tallest = max(sum(pair) for pair in counts)
    frame = Frame(low, low + bins * step, 0, tallest * 1.12)
    parts: list[Markup] = []
    for place, pair in enumerate(counts):
        below = 0
        x0, x1 = frame.x(low + place * step), frame.x(low + (place + 1) * step)
        for count, kind in zip(pair, ("easy", "hard"), strict=True):
            if count:
                y1, y0 = frame.y(below), frame.y(below + count)
                parts.append(
                    Markup(
                        f'<rect class="{kind}" x="{x0 + 0.5:.1f}" y="{y0:.1f}" '
                        f'width="{max(0.5, x1 - x0 - 1):.1f}" '
                        f'height="{y1 - y0:.1f}"/>'
                    )
                )
            below += count
    parts.append(_boundary(frame, boundary))
    return frame_svg(frame, "Histogram of entropy scores", "score", Markup("").join(parts))


MOST_POINTS = 1000
"""Of each part of a curve: more than a page has pixels across would show nothing more."""


def ranked_curve(scores: Sequence[float], is_easy: Sequence[bool]) -> Markup:
    """The scores of images in ranked order, easy and hard in their colours; of very many some."""
    high = max(scores)
    frame = Frame(0, len(scores), 0, high * 1.08 or 1.0)
    easy = sum(is_easy)
    parts: list[Markup] = []
    for kind, start, stop in (("easy", 0, easy), ("hard", easy, len(scores))):
        if stop <= start:
            continue
        points = " ".join(
            f"{frame.x(i + 0.5):.1f},{frame.y(scores[i]):.1f}" for i in _some(start, stop)
        )
        base = f"{frame.y(0):.1f}"
        area = f"{frame.x(start + 0.5):.1f},{base} {points} {frame.x(stop - 0.5):.1f},{base}"
        parts.append(Markup(f'<polygon class="{kind} faint" points="{area}"/>'))
        parts.append(Markup(f'<polyline class="line {kind}" points="{points}"/>'))
    parts.append(_boundary(frame, float(easy) if 0 < easy < len(scores) else None))
    return frame_svg(frame, "Ranked entropy scores", "image, by rank", Markup("").join(parts))


def _some(start: int, stop: int) -> list[int]:
    """Numbers from ``start`` to ``stop`` - 1, both among them: all, or some evenly spaced."""
    steps = min(stop - start, MOST_POINTS) - 1
    return [start + round(i * (stop - 1 - start) / max(1, steps)) for i in range(steps + 1)]


def _boundary_score(scores: Sequence[float], is_easy: Sequence[bool]) -> float | None:
    easy = [s for s, e in zip(scores, is_easy, strict=True) if e]
    hard = [s for s, e in zip(scores, is_easy, strict=True) if not e]
    return (max(easy) + min(hard)) / 2 if easy and hard else None


def _boundary(frame: Frame, value: float | None) -> Markup:
    if value is None:
        return Markup("")
    x = frame.x(value)
    return Markup(
        f'<line class="boundary" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" '
        f'y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="label" x="{x - 5:.1f}" y="{TOP + 4}" text-anchor="end">easy</text>'
        f'<text class="label" x="{x + 5:.1f}" y="{TOP + 4}">hard</text>'
    )


def confusion_matrix(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Rows are the true classes, each normalised to 100 percent of its pixels."""
    cell = 46 if len(names) <= 10 else 32
    longest = max(len(name) for name in names)
    left, top = 12 + 6.6 * longest, 22 + 4.8 * longest
    width, height = left + cell * len(names) + 3.2 * longest, top + cell * len(names) + 4
    parts: list[Markup] = []
    for row, (name, line) in enumerate(zip(names, counts, strict=True)):
        y = top + row * cell
        parts.append(
            Markup('<text class="label" x="{}" y="{}" text-anchor="end">{}</text>').format(
                f"{left - 8:.0f}", f"{y + cell / 2 + 4:.0f}", name
            )
        )
        total = sum(line)
        for column, count in enumerate(line):
            share = count / total if total else 0.0
            x = left + column * cell
            place = f'x="{x:.0f}" y="{y:.0f}"'
            kind = "cell right" if row == column else "cell"
            hint = f"{name} seen as {names[column]}: {100 * share:.1f} %"
            parts.append(Markup("<g><title>{}</title>").format(hint))
            parts.append(
                Markup(
                    f'<rect class="{kind}" {place} width="{cell - 2}" '
                    f'height="{cell - 2}" style="--heat:{share:.3f}"/>'
                )
            )
            if share >= 0.005:
                strong = " strong" if share > 0.8 else ""
                parts.append(
                    Markup(
                        f'<text class="cell-value{strong}" text-anchor="middle" '
                        f'x="{x + cell / 2 - 1:.0f}" y="{y + cell / 2 + 3:.0f}">'
                        f"{100 * share:.0f}</text>"
                    )
                )
            parts.append(Markup("</g>"))
    for column, name in enumerate(names):
        x = left + column * cell + cell / 2
        parts.append(
            Markup('<text class="label" transform="translate({} {}) rotate(-40)">{}</text>').format(
                f"{x:.0f}", f"{top - 8:.0f}", name
            )
        )
    return Markup(
        '<svg class="matrix{3}" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" '
        'aria-label="Confusion matrix">{2}</svg>'
    ).format(
        f"{width:.0f}",
        f"{height:.0f}",
        Markup("").join(parts),
        " small" if len(names) <= 10 else "",
    )
