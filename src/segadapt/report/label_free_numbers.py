"""The numbers that there are without target labels, with what each can and cannot say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segadapt.report import wording
from segadapt.report.inspection_records import Inspected, Inspection, shares_of
from segadapt.report.records import Evaluation

LOST = 0.1
"""A class with less than this part of the share that it has in the source is told apart."""

ENTROPY = (
    "How undecided the model is, 0 to 1. It cannot say whether the model is right: methods that "
    "train on entropy make it small even where they do harm."
)
INFORMATION = (
    "High where single predictions are sure and the classes all occur. It warns of a model that "
    "has fallen to a few classes; it cannot tell a right class from a wrong one."
)
DENSITY = (
    "High where predictions that are alike lie close together. It compares states of one training; "
    "it says little between different methods."
)
CHANGED = (
    "How much adapting changed. Near 0 it did nothing; a large value is no gain in itself, look at "
    "the photos below."
)
STEP = "The same, beside the checkpoint to the left: small where the training has settled."
PROPORTIONS = (
    "Half the sum of all differences between predicted and source shares, 0 to 1. Large where "
    "classes were lost or have spread; the target may truly have other proportions."
)
ON_SOURCE = (
    "On labelled source images. It shows that training works there and finds a model that forgot "
    "the source; a target score cannot be read from it."
)


@dataclass(frozen=True)
class NumberRow:
    """One number of every checkpoint."""

    name: str
    sentence: str
    values: list[str]


@dataclass(frozen=True)
class ClassShares:
    """One class: its share in the source's labels and in what every checkpoint predicted."""

    name: str
    colour: tuple[int, int, int]
    shares: list[float]
    """In percent of the largest of the table, for bars."""
    texts: list[str]
    lost: list[bool]


def number_rows(inspection: Inspection, on_source: Sequence[Evaluation]) -> list[NumberRow]:
    """The table: entropy, diversity, agreement, class proportions, and scores on the source."""
    checkpoints = inspection.checkpoints
    rows = [NumberRow("Mean entropy", ENTROPY, _each(checkpoints, lambda x: f"{x.entropy:.3f}"))]
    for key, sentence in (
        ("information_maximisation", INFORMATION),
        ("soft_neighbourhood_density", DENSITY),
    ):
        if all(key in x.scores for x in checkpoints):
            name = wording.LABEL_FREE[key].capitalize()
            values = [f"{x.scores[key]:.3f}" for x in checkpoints]
            rows.append(NumberRow(name, sentence, values))
    rows += _agreements(inspection)
    if inspection.source is not None:
        source = shares_of(inspection.source.counts)
        values = [f"{distance(x.shares, source):.2f}" for x in checkpoints]
        rows.append(NumberRow("Distance to the source’s proportions", PROPORTIONS, values))
    for evaluation in on_source:
        scores = {score.checkpoint: score.value for score in evaluation.scores}
        values = [wording.percent(scores.get(x.checkpoint)) for x in checkpoints]
        name = f"{evaluation.measure} on {evaluation.domain}, percent"
        rows.append(NumberRow(name, ON_SOURCE, values))
    return rows


def _each(checkpoints: Sequence[Inspected], say: Callable[[Inspected], str]) -> list[str]:
    return [say(x) for x in checkpoints]


def _agreements(inspection: Inspection) -> list[NumberRow]:
    names = [wording.display_name(x.checkpoint) for x in inspection.checkpoints]
    agreement = inspection.agreement
    if len(names) < 2:
        return []
    what = inspection.of
    first = ["–", *(f"{wording.percent(1 - x)} %" for x in agreement[0][1:])]
    rows = [NumberRow(f"Differs from {names[0]}, of the {what}", CHANGED, first)]
    if len(names) > 2:
        steps = [agreement[i][i + 1] for i in range(len(names) - 1)]
        before = ["–", *(f"{wording.percent(1 - x)} %" for x in steps)]
        rows.append(NumberRow("Differs from the one before", STEP, before))
    return rows


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Total variation of two distributions over classes, in [0, 1]."""
    return 0.5 * sum(abs(a - b) for a, b in zip(one, other, strict=True))


def class_shares(inspection: Inspection) -> list[ClassShares]:
    """A row for every class; the source's column comes first, where it was counted."""
    columns = [x.shares for x in inspection.checkpoints]
    source = None if inspection.source is None else shares_of(inspection.source.counts)
    if source is not None:
        columns.insert(0, source)
    largest = max((share for column in columns for share in column), default=0.0) or 1.0
    rows = []
    for place, name in enumerate(inspection.classes):
        shares = [column[place] for column in columns]
        wanted = 0.0 if source is None else LOST * source[place]
        rows.append(
            ClassShares(
                name,
                inspection.colours[place],
                [100 * share / largest for share in shares],
                [wording.percent(share) for share in shares],
                [share < wanted for share in shares],
            )
        )
    return rows
