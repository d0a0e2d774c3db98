"""Loss curves: which losses belong together, smoothing, and the chart of one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segadapt.report.charts import Frame, frame_svg
from segadapt.report.records import LossLog

Points = Sequence[tuple[int, float]]

_GROUPS = (
    ("seg", "Supervised loss"),
    ("adv", "Adversarial loss (segmenter)"),
    ("ent", "Entropy loss"),
    ("gan", "Adversarial loss (generators)"),
    ("cycle", "Cycle loss"),
    ("sem", "Semantic loss"),
    ("identity", "Identity loss"),
    ("mix", "Loss on mixed images"),
    ("mask", "Loss on masked images"),
    ("feature", "Feature distance"),
    ("d", "Discriminator loss"),
)
SHARES = "Share of the target’s pixels"
_MOST_POINTS = 300
_COLOURS = 4


@dataclass(frozen=True)
class LegendEntry:
    """Name, colour index and last smoothed value of a curve."""

    name: str
    colour: int
    last: str


@dataclass(frozen=True)
class CurveChart:
    """One panel of the small multiples."""

    title: str
    svg: Markup
    legend: list[LegendEntry]


def grouped(log: LossLog) -> list[tuple[str, dict[str, Points]]]:
    """The losses of a stage in named groups, each with short curve names."""
    groups: dict[str, dict[str, Points]] = {}
    titles = dict(_GROUPS)
    for key, points in log.losses.items():
        if key.startswith("share_"):
            groups.setdefault(SHARES, {})[key.removeprefix("share_").replace("_", " ")] = points
            continue
        head, _, rest = key.removeprefix("loss_").partition("_")
        if head in titles:
            groups.setdefault(titles[head], {})[rest or head] = points
        else:
            groups.setdefault("Other losses", {})[key.removeprefix("loss_")] = points
    order = [title for _, title in _GROUPS] + ["Other losses", SHARES]
    return [(title, groups[title]) for title in order if title in groups]


def smoothed(values: Sequence[float], span: float) -> list[float]:
    """Exponential moving average over about `span` values, unbiased at its start."""
    keep = 1.0 - 1.0 / max(1.0, span)
    total = weight = 0.0
    result = []
    for value in values:
        total = keep * total + (1.0 - keep) * value
        weight = keep * weight + (1.0 - keep)
        result.append(total / weight)
    return result


def loss_chart(title: str, curves: dict[str, Points]) -> CurveChart:
    """The smoothed curves of one group, each over its faint raw line."""
    smooth = {
        name: smoothed([value for _, value in points], len(points) / 15)
        for name, points in curves.items()
    }
    raw = sorted(value for points in curves.values() for _, value in points)
    low = min(raw[len(raw) // 50], min(min(line) for line in smooth.values()))
    high = max(raw[-1 - len(raw) // 50], max(max(line) for line in smooth.values()))
    if 0 < low < 0.6 * high:
        low = 0.0
    margin = 0.06 * (high - low) or 0.1
    last = max(points[-1][0] for points in curves.values())
    frame = Frame(0, last or 1, low if low == 0 else low - margin, high + margin)
    faint: list[Markup] = []
    strong: list[Markup] = []
    legend = []
    for place, (name, points) in enumerate(curves.items()):
        colour = place % _COLOURS
        faint.append(_polyline(frame, points, f"raw s{colour}"))
        line = [(iteration, v) for (iteration, _), v in zip(points, smooth[name], strict=True)]
        strong.append(_polyline(frame, line, f"line s{colour}"))
        legend.append(LegendEntry(name, colour, f"{smooth[name][-1]:.3g}"))
    body = Markup("").join(faint + strong)
    return CurveChart(title, frame_svg(frame, title, "iteration", body), legend)


def loss_charts(log: LossLog) -> list[CurveChart]:
    """All panels of one training stage."""
    return [loss_chart(title, curves) for title, curves in grouped(log)]


def _polyline(frame: Frame, points: Points, kind: str) -> Markup:
    stride = max(1, -(-len(points) // _MOST_POINTS))
    kept = list(points[::stride])
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    if len(kept) == 1:  # twice the same point is drawn as a dot, one alone is not
        kept *= 2
    path = " ".join(f"{frame.x(i):.1f},{frame.y(v):.1f}" for i, v in kept)
    return Markup(f'<polyline class="{kind}" points="{path}"/>')
