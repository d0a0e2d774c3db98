"""Gathers what many runs left, such as those of an array of jobs: the ``summarise`` verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segadapt.base.errors import SegadaptError
from segadapt.commands.tables import csv_text
from segadapt.report import wording
from segadapt.report.records import Score
from segadapt.report.run_groups import RunGroup, find_groups
from segadapt.report.run_settings import Difference, differences, short_names, shortened
from segadapt.report.spreads import points, spread

MOST_SETTINGS = 4
"""Settings that differ with a column each on the terminal; for more the folders are named."""
MOST_LETTERS = 24


@dataclass(frozen=True)
class SummaryRow:
    """A stage with one choice of settings, over its seeds."""

    recipe: str
    title: str
    """Of the evaluation."""
    measure: str
    classes: tuple[str, ...]
    checkpoint: str
    mark: str
    runs: str
    """Where they lie."""
    settings: Mapping[str, str]
    """Those that differ within the recipe, by dotted key."""
    values: Mapping[int, float]
    """Scores by seed, as fractions."""


def summarise_runs(folders: Sequence[Path], csv: Path | None = None) -> None:
    """Print mean and spread over seeds, a table per recipe and evaluation.

    Args:
        folders: of runs, or folders of runs at any depth.
        csv: a file for the same rows.

    Raises:
        SegadaptError: a folder is no run or there twice, or the file cannot be written.
    """
    groups = find_groups(folders)
    rows = summary_rows(groups)
    if csv is not None:
        _write(csv, rows)
    console = Console()
    tables: dict[tuple[object, ...], list[SummaryRow]] = {}
    for row in rows:
        tables.setdefault((row.recipe, row.title, row.measure, row.classes), []).append(row)
    for found in tables.values():
        console.print(_table(found))
        count = len(found[0].settings)
        if count > MOST_SETTINGS:
            console.print(f"{count} settings differ: --csv writes them, compare shows them")
    if not rows:
        console.print("no evaluation is finished yet")
    for run in (run for group in groups for run in group.runs if run.unfinished):
        console.print(Text(run.told), soft_wrap=True)


def summary_rows(groups: Sequence[RunGroup]) -> list[SummaryRow]:
    """Stage by stage, a row per group of runs; recipes in the order they came."""
    rows = []
    for recipe in dict.fromkeys(group.recipe for group in groups):
        members = [group for group in groups if group.recipe == recipe]
        differing = differences([group.settings for group in members])
        found = [
            _row(group, recipe, title, checkpoint, _own(differing, place), scores)
            for place, group in enumerate(members)
            for title in group.evaluations()
            for checkpoint, scores in group.scores(title).items()
        ]
        order = list(dict.fromkeys((row.title, row.checkpoint) for row in found))
        rows += sorted(found, key=lambda row: order.index((row.title, row.checkpoint)))
    return rows


def _row(
    group: RunGroup,
    recipe: str,
    title: str,
    checkpoint: str,
    settings: Mapping[str, str],
    scores: Mapping[int, Score],
) -> SummaryRow:
    evaluation = next(iter(group.evaluations()[title].values()))[0]
    mark = next((score.mark for score in scores.values() if score.mark), "")
    values = {seed: score.value for seed, score in scores.items() if score.value is not None}
    classes = tuple(evaluation.classes)
    return SummaryRow(
        recipe, title, evaluation.measure, classes, checkpoint, mark, group.label, settings, values
    )


def _own(differing: Sequence[Difference], place: int) -> dict[str, str]:
    """A group's values of the settings that differ."""
    return {row.key: row.values[place] for row in differing}


def _table(rows: Sequence[SummaryRow]) -> Table:
    first = rows[0]
    keys = list(first.settings)
    several = len({row.runs for row in rows}) > 1
    shown = several and len(keys) <= MOST_SETTINGS
    table = Table(title=Text(f"{first.recipe}: {first.measure} on {first.title}"))
    table.add_column("stage", overflow="fold")
    for name in short_names(keys) if shown else ["runs"]:
        table.add_column(Text(name), overflow="fold")
    table.add_column(first.measure, justify="right", no_wrap=True)
    table.add_column("by seed", overflow="fold")
    for place, row in enumerate(rows):
        begins = place == 0 or rows[place - 1].checkpoint != row.checkpoint
        ends = place + 1 == len(rows) or rows[place + 1].checkpoint != row.checkpoint
        name = wording.display_name(row.checkpoint) + (f" ({row.mark})" if row.mark else "")
        chosen = [row.settings[key] for key in keys] if shown else [row.runs]
        table.add_row(
            Text(name if begins else ""),
            *(Text(shortened(value, MOST_LETTERS)) for value in chosen),
            points(spread(list(row.values.values()))),
            Text(", ".join(f"{seed}: {100 * v:.1f}" for seed, v in row.values.items())),
            end_section=ends and several,
        )
    return table


def _write(path: Path, rows: Sequence[SummaryRow]) -> None:
    keys = list(dict.fromkeys(key for row in rows for key in row.settings))
    about = ["recipe", "evaluation", "measure", "stage", "note", "runs"]
    lines = [[*about, *keys, "seeds", "mean", "deviation", "values"]]
    for row in rows:
        value = spread(list(row.values.values()))
        deviation = "" if value.deviation is None else f"{100 * value.deviation:.2f}"
        lines.append(
            [row.recipe, row.title, row.measure, row.checkpoint, row.mark]
            + [row.runs]
            + [row.settings.get(key, "") for key in keys]
            + [" ".join(str(seed) for seed in row.values)]
            + [f"{100 * value.mean:.2f}", deviation]
            + [" ".join(f"{100 * v:.2f}" for v in row.values.values())]
        )
    try:
        path.write_text(csv_text(lines), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SegadaptError(f"--csv {path}: cannot be written ({error.strerror})") from error
