"""Turns compared runs into what the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segadapt.report import pictures, wording
from segadapt.report.comparison import ComparedEvaluation, Entry, Line
from segadapt.report.comparison_charts import difference_bar, scale_of, score_chart
from segadapt.report.records import Evaluation, Picture
from segadapt.report.run_groups import RunGroup
from segadapt.report.run_settings import differences
from segadapt.report.spreads import Spread, is_clear, points
from segadapt.report.tiles import Tile

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class PictureRow:
    """One picture: what was seen, what is true, and by stage what each group made of it."""

    name: str
    photo: Tile
    truth: Tile
    predictions: list[list[Tile]]


def page(
    groups: Sequence[RunGroup], evaluations: Sequence[ComparedEvaluation], width: int
) -> dict[str, Any]:
    """The template's variables, with pictures at most `width` pixels wide."""
    return {
        "groups": [
            {"letter": letter, "group": group, "time": wording.duration(group.seconds)}
            for letter, group in zip(LETTERS, groups, strict=False)
        ],
        "headline": headline(groups, evaluations),
        "differing": differences([group.settings for group in groups]),
        "evaluations": [_evaluation_view(groups, e, width) for e in evaluations],
        "told": told(groups, evaluations),
        "warnings": list(
            dict.fromkeys(w for g in groups for r in g.runs for w in r.run.info["warnings"])
        ),
        "doubtful": is_doubtful,
        "one_seed": all(len(group.runs) == 1 for group in groups),
    }


def told(groups: Sequence[RunGroup], evaluations: Sequence[ComparedEvaluation]) -> list[str]:
    """A sentence about every run that is not finished, and every set of unlike images."""
    unfinished = [run.told for group in groups for run in group.runs if run.told]
    return unfinished + [
        f"{e.title}: the runs are scored on different numbers of images "
        f"({', '.join(str(count) for count in e.images)}), so differences may come from those"
        for e in evaluations
        if len(set(e.images)) > 1
    ]


def headline(groups: Sequence[RunGroup], evaluations: Sequence[ComparedEvaluation]) -> str:
    """What the last stage that all groups have gained over the first group."""
    evaluation = next((e for e in evaluations if e.main is not None), None)
    line = evaluation.main if evaluation is not None else None
    if evaluation is None or line is None:
        return "No stage is scored in all of these runs yet."
    measure = evaluation.first.measure
    parts: list[str] = []
    for letter, entry in zip(LETTERS[1:], line.entries[1:], strict=False):
        if entry is not None and entry.difference is not None:
            gain = entry.difference
            relation = "against" if gain.mean < 0 else "over"
            unit = "" if parts else f" {measure} points"
            text = points(gain, signed=True)
            parts.append(f"{letter} {text}{unit} {relation} A{is_doubtful(gain)}")
    several = len({entry.checkpoint for entry in line.entries if entry}) > 1
    after = "the last stage of each" if several else line.shown
    return f"{'; '.join(parts)}, after {after} on {evaluation.title}."


def is_doubtful(gain: Spread | None) -> str:
    """What to say of a difference that may be chance, empty otherwise."""
    if gain is None:
        return ""
    if gain.deviation is None:
        return " (no more than noise)" if abs(100 * gain.mean) < wording.ONE_SEED else ""
    return "" if is_clear(gain) else " (no more than the spread)"


def _evaluation_view(
    groups: Sequence[RunGroup], evaluation: ComparedEvaluation, width: int
) -> dict[str, Any]:
    letters = LETTERS[: len(groups)]
    return {
        "evaluation": evaluation,
        "first": evaluation.first,
        "chart": score_chart(evaluation.lines, letters),
        "main": evaluation.lines.index(evaluation.main) if evaluation.main else 0,
        "tables": [_class_table(line, evaluation.first) for line in evaluation.lines],
        "pictures": _picture_rows(groups, evaluation, width),
        "drawn": any(_pictures(group, evaluation.title) for group in groups),
    }


def _class_table(line: Line, first: Evaluation) -> dict[str, Any]:
    """Rows of classes: a value by group, and difference and bar by group after the first."""
    others = [entry for entry in line.entries[1:] if entry is not None]
    most = scale_of([d for entry in others for d in (*entry.class_differences, entry.difference)])
    rows = [
        {
            "name": name,
            "colour": first.colours[i],
            "values": [None if e is None else e.classes[i] for e in line.entries],
            "changes": [
                _change(None if e is None else e.class_differences[i], most)
                for e in line.entries[1:]
            ],
        }
        for i, name in enumerate(first.classes)
    ]
    means = [_change(None if e is None else e.difference, most) for e in line.entries[1:]]
    return {"line": line, "rows": rows, "means": means}


def _change(value: Any, most: float) -> dict[str, Any]:
    return {"value": value, "bar": difference_bar(value, most)}


def _picture_rows(
    groups: Sequence[RunGroup], evaluation: ComparedEvaluation, width: int
) -> list[PictureRow]:
    """The pictures that all groups drew, with what the lowest seed of each made of them."""
    found = [_pictures(group, evaluation.title) for group in groups]
    drawn = [pictures_ for pictures_ in found if pictures_]
    names = [n for n in (drawn[0] if drawn else ()) if all(n in others for others in drawn)]
    rows = []
    for name in names:
        first = drawn[0][name][0]
        truth = pictures.inline_photo if evaluation.first.is_boxes else pictures.inline_labels
        rows.append(
            PictureRow(
                name,
                Tile("Input", "", "image", pictures.inline_photo(first.image, width)),
                Tile("Truth", "", "truth", truth(first.truth, width)),
                [
                    [
                        _prediction(letter, entry, drawn_by.get(name, []), width)
                        for letter, entry, drawn_by in zip(
                            LETTERS, line.entries, found, strict=False
                        )
                    ]
                    for line in evaluation.lines
                ],
            )
        )
    return rows


def _pictures(group: RunGroup, domain: str) -> dict[str, list[Picture]]:
    """Pictures of the lowest seed by name; several evaluations may have drawn one."""
    found: dict[str, list[Picture]] = {}
    seeds = group.evaluations().get(domain, {})
    for evaluation in next(iter(seeds.values()), []):
        for picture in evaluation.pictures:
            found.setdefault(picture.name, []).append(picture)
    return found


def _prediction(letter: str, entry: Entry | None, drawn: Sequence[Picture], width: int) -> Tile:
    if entry is None:
        return Tile(letter, "", "prediction", None)
    name = f"{letter}, {wording.display_name(entry.checkpoint)}"
    files = next((f for p in drawn if (f := p.predictions.get(entry.checkpoint))), None)
    if files is not None and files.boxes is not None:
        return Tile(name, "", "boxes", pictures.inline_photo(files.boxes, width))
    label = None if files is None else files.label
    return Tile(name, "", "prediction", pictures.inline_labels(label, width))
