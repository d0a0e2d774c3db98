"""Scores of several groups of runs set against the first group's."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segadapt.base.errors import SegadaptError
from segadapt.report import wording
from segadapt.report.records import Evaluation, Score
from segadapt.report.run_groups import RunGroup
from segadapt.report.spreads import Spread, spread

LAST = "last stage of each"


@dataclass(frozen=True)
class Entry:
    """What one group's checkpoint reached, over its seeds."""

    checkpoint: str
    mark: str
    """What tells it from an honest score, empty for one."""
    seeds: list[int]
    """Those that have a score; a stage may not be finished with every seed."""
    value: Spread
    difference: Spread | None
    """To the first group's; None for the first, and where that has no score."""
    classes: list[Spread | None]
    class_differences: list[Spread | None]


@dataclass(frozen=True)
class Line:
    """A stage in all groups; None where a group has no score of it."""

    name: str
    entries: list[Entry | None]

    @property
    def shown(self) -> str:
        """Its name as it is usually written."""
        name, comma, stage = self.name.partition(", ")
        return wording.display_name(name) + comma + stage

    @property
    def is_oracle(self) -> bool:
        """Whether target labels took part in one of the scores."""
        return any(entry.mark for entry in self.entries if entry is not None)


@dataclass(frozen=True)
class ComparedEvaluation:
    """An evaluation that several groups have, of the same classes."""

    title: str
    first: Evaluation
    lines: list[Line]
    images: list[int]
    """Numbers of scored images, of the groups that have it and say so."""

    @property
    def main(self) -> Line | None:
        """The last stage that saw no target labels and that all groups have, if there is one."""
        whole = [line for line in self.lines if all(entry is not None for entry in line.entries)]
        return next((x for x in reversed(whole) if not x.is_oracle), whole[-1] if whole else None)


def compared(groups: Sequence[RunGroup]) -> list[ComparedEvaluation]:
    """Evaluations that at least two groups have, stage by stage.

    Raises:
        SegadaptError: what is scored differs in its task, its classes or its data.
    """
    by_group = [_one_each(group) for group in groups]
    _require_comparable(groups, by_group)
    titles = dict.fromkeys(title for evaluations in by_group for title in evaluations)
    shared = [t for t in titles if sum(t in evaluations for evaluations in by_group) > 1]
    return [
        ComparedEvaluation(
            title,
            next(e[title] for e in by_group if title in e),
            _lines(groups, title),
            [e[title].images for e in by_group if title in e and e[title].images],
        )
        for title in shared
    ]


def difference(first: Mapping[int, float], other: Mapping[int, float]) -> Spread:
    """How much `other` is above `first`, values by seed.

    With the same seeds it is taken seed by seed. Otherwise it is that of the means, with the
    deviation of a difference of independent values, where both have one.
    """
    if first.keys() == other.keys():
        return spread([other[seed] - first[seed] for seed in first])
    one, two = spread(list(first.values())), spread(list(other.values()))
    known = one.deviation is not None and two.deviation is not None
    deviation = math.hypot(one.deviation or 0.0, two.deviation or 0.0) if known else None
    return Spread(two.mean - one.mean, deviation, [])


def _one_each(group: RunGroup) -> dict[str, Evaluation]:
    return {domain: next(iter(seeds.values()))[0] for domain, seeds in group.evaluations().items()}


def _require_comparable(
    groups: Sequence[RunGroup], by_group: Sequence[Mapping[str, Evaluation]]
) -> None:
    scored = [(g, found) for g, found in zip(groups, by_group, strict=True) if found]
    for (group, found), (other_group, other_found) in itertools.combinations(scored, 2):
        names = f"{group.runs[0].folder} and {other_group.runs[0].folder}"
        pairs = [(found[title], other_found[title]) for title in found if title in other_found]
        unlike = [(a, b) for a, b in pairs if (a.measure, a.classes) != (b.measure, b.classes)]
        one, other = [*unlike, *pairs, (_any(found), _any(other_found))][0]
        if one.measure != other.measure:
            raise SegadaptError(
                f"{names}: are scored by {one.measure} and {other.measure}, which cannot be "
                "compared; name runs of one task"
            )
        if one.classes != other.classes:
            raise SegadaptError(
                f"{names}: have different classes ({_listed(one)}; {_listed(other)}), so their "
                "scores cannot be compared"
            )
        if not pairs:
            raise SegadaptError(
                f"{names}: are scored on different images ({', '.join(found)}; "
                f"{', '.join(other_found)}); name runs with an evaluation in common"
            )


def _any(evaluations: Mapping[str, Evaluation]) -> Evaluation:
    return next(iter(evaluations.values()))


def _listed(evaluation: Evaluation) -> str:
    names = evaluation.classes
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _lines(groups: Sequence[RunGroup], title: str) -> list[Line]:
    scores = [group.scores(title) for group in groups]
    names = dict.fromkeys(name for found in scores for name in found)
    lines = [
        Line(name, _entries([(name, found.get(name, {})) for found in scores])) for name in names
    ]
    last = [_last_honest(found) for found in scores]
    if len({name for name, _ in last if name}) > 1:
        lines.append(Line(LAST, _entries(last)))
    return lines


def _last_honest(found: Mapping[str, Mapping[int, Score]]) -> tuple[str, Mapping[int, Score]]:
    honest = [name for name, seeds in found.items() if not _mark(seeds)]
    return (honest[-1], found[honest[-1]]) if honest else ("", {})


def _mark(seeds: Mapping[int, Score]) -> str:
    return next((score.mark for score in seeds.values() if score.mark), "")


def _entries(found: Sequence[tuple[str, Mapping[int, Score]]]) -> list[Entry | None]:
    first = found[0][1]
    return [
        _entry(name, seeds, first if place else {}) if seeds else None
        for place, (name, seeds) in enumerate(found)
    ]


def _entry(name: str, seeds: Mapping[int, Score], first: Mapping[int, Score]) -> Entry:
    count = len(next(iter(seeds.values())).iou)
    values = {seed: score.value or 0.0 for seed, score in seeds.items()}
    start = {seed: score.value or 0.0 for seed, score in first.items()}
    by_class = [_of_class(seeds, i) for i in range(count)]
    first_by_class = [_of_class(first, i) for i in range(count)]
    return Entry(
        name,
        _mark(seeds),
        list(seeds),
        spread(list(values.values())),
        difference(start, values) if start else None,
        [spread(list(x.values())) if x else None for x in by_class],
        [
            difference(one, other) if one and other else None
            for one, other in zip(first_by_class, by_class, strict=True)
        ],
    )


def _of_class(seeds: Mapping[int, Score], place: int) -> dict[int, float]:
    """Values of a class by seed; none where it is absent with one of them."""
    values = {seed: score.iou[place] for seed, score in seeds.items()}
    present = {seed: value for seed, value in values.items() if value is not None}
    return present if len(present) == len(values) else {}
