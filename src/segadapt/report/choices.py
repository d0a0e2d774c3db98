"""Which snapshot: the last, the label-free choice and the oracle's, with what each is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segadapt.report import wording
from segadapt.report.charts import Frame, frame_svg
from segadapt.report.records import ScoredSnapshot, Selection
from segadapt.selection.ranking import spearman


@dataclass(frozen=True)
class Choice:
    """One way to choose, the iteration that it chooses, and the score there."""

    name: str
    iteration: int
    value: float | None
    uses_labels: bool
    is_used: bool


@dataclass(frozen=True)
class ChoiceView:
    """Everything shown about one selection."""

    selection: Selection
    svg: Markup
    choices: list[Choice]
    ranks: list[tuple[str, str, bool]]
    """Per score: name, rank correlation with the measure, and whether it chose."""


def choice_view(selection: Selection) -> ChoiceView | None:
    """The choices of one selection; None where no snapshot was scored."""
    scored = [s for s in selection.snapshots if s.value is not None]
    if not scored:
        return None
    oracle = max(scored, key=lambda s: s.value or 0.0)
    chosen = next((s for s in scored if s.iteration == selection.chosen), scored[-1])
    used = wording.LABEL_FREE.get(selection.score, selection.score)
    choices = [
        Choice("last", scored[-1].iteration, scored[-1].value, False, False),
        Choice(f"label-free: {used}", chosen.iteration, chosen.value, False, True),
        Choice("oracle", oracle.iteration, oracle.value, True, False),
    ]
    ranks = [
        (wording.LABEL_FREE.get(name, name), _rank(scored, name), name == selection.score)
        for name in scored[0].scores
    ]
    return ChoiceView(selection, _chart(scored, chosen, oracle), choices, ranks)


def _rank(scored: Sequence[ScoredSnapshot], name: str) -> str:
    pairs = [(s.scores.get(name), s.value) for s in scored]
    whole = [(a, b) for a, b in pairs if a is not None and b is not None]
    value = spearman([a for a, _ in whole], [b for _, b in whole])
    return "–" if value != value else f"{value:+.2f}".replace("-", "−")


def _chart(
    scored: Sequence[ScoredSnapshot], chosen: ScoredSnapshot, oracle: ScoredSnapshot
) -> Markup:
    values = [100 * (s.value or 0.0) for s in scored]
    margin = max(0.5, 0.15 * (max(values) - min(values)))
    frame = Frame(0, scored[-1].iteration, min(values) - margin, max(values) + margin)
    points = " ".join(
        f"{frame.x(s.iteration):.1f},{frame.y(v):.1f}" for s, v in zip(scored, values, strict=True)
    )
    parts = [Markup(f'<polyline class="line s0" points="{points}"/>')]
    for snapshot, value in zip(scored, values, strict=True):
        kind = "dot chosen" if snapshot is chosen else "dot"
        if snapshot is oracle:
            kind += " best"
        hint = f"iteration {snapshot.iteration}: {wording.percent(snapshot.value)}"
        parts.append(
            Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
                kind,
                f"{frame.x(snapshot.iteration):.1f}",
                f"{frame.y(value):.1f}",
                6 if snapshot in (chosen, oracle) else 3.5,
                hint,
            )
        )
    return frame_svg(frame, "Score of the snapshots", "iteration", Markup("").join(parts))
