"""Sets runs beside each other, on a page and on the terminal: the ``compare`` verb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segadapt.base.errors import SegadaptError
from segadapt.report.comparison import ComparedEvaluation, compared
from segadapt.report.comparison_page import write_comparison
from segadapt.report.comparison_view import LETTERS, headline, is_doubtful, told
from segadapt.report.run_groups import RunGroup, find_groups
from segadapt.report.run_settings import Difference, differences, shortened
from segadapt.report.spreads import points

MOST_SETTINGS = 20
MOST_LETTERS = 16
"""Rows of the settings' table on the terminal, and letters of a value."""


def compare_runs(folders: Sequence[Path], output: Path) -> None:
    """Write a page that sets two or more runs side by side, and print its table.

    Args:
        folders: of runs, or of several; runs that differ by their seed alone count as one.
        output: the page.

    Raises:
        SegadaptError: a folder is no run or there twice, fewer than two groups are left, or
            they cannot be compared.
    """
    if output.is_dir():
        raise SegadaptError(f"--out {output}: is a folder; name a file such as compare.html")
    groups = find_groups(folders)
    if len(groups) < 2:
        raise SegadaptError(
            f"{' '.join(str(folder) for folder in folders)}: holds one recipe with "
            f"{_seeds(groups[0])}, and there is nothing to set beside it; `segadapt summarise` "
            "shows the spread over seeds"
        )
    if len(groups) > len(LETTERS):
        raise SegadaptError(
            f"these are {len(groups)} different runs, and a page sets at most {len(LETTERS)} side "
            "by side; `segadapt summarise` takes any number"
        )
    evaluations = compared(groups)
    write_comparison(groups, evaluations, output)
    differing = differences([group.settings for group in groups])
    console = Console()
    for letter, group in zip(LETTERS, groups, strict=False):
        console.print(
            Text(f"{letter}  {group.label} ({group.recipe}, {_seeds(group)})"), soft_wrap=True
        )
    for evaluation in evaluations:
        console.print(_score_table(evaluation))
    if evaluations:
        console.print("± over seeds; ~ no more than the spread, or with one seed than noise")
    console.print(_settings_table(differing))
    if len(differing) > MOST_SETTINGS:
        console.print(f"and {len(differing) - MOST_SETTINGS} more settings, on the page")
    for sentence in told(groups, evaluations):
        console.print(Text(sentence), soft_wrap=True)
    console.print(Text(headline(groups, evaluations)), soft_wrap=True)


def _seeds(group: RunGroup) -> str:
    numbers = ", ".join(str(seed) for seed in group.seeds)
    return f"{'seed' if len(group.seeds) == 1 else 'seeds'} {numbers}"


def _score_table(evaluation: ComparedEvaluation) -> Table:
    table = Table(title=Text(f"{evaluation.title}, {evaluation.first.measure} in percent"))
    for name in ("stage", "run", "seeds", evaluation.first.measure, "against A"):
        table.add_column(name, justify="left" if name in ("stage", "run") else "right")
    for line in evaluation.lines:
        present = [(x, e) for x, e in zip(LETTERS, line.entries, strict=False) if e is not None]
        for place, (letter, entry) in enumerate(present):
            name = line.shown + (f" ({entry.mark})" if entry.mark else "")
            doubt = " ~" if is_doubtful(entry.difference) else ""
            table.add_row(
                Text(name if place == 0 else ""),
                letter,
                str(len(entry.seeds)),
                points(entry.value),
                points(entry.difference, signed=True) + doubt if entry.difference else "",
                end_section=place == len(present) - 1,
            )
    return table


def _settings_table(differing: Sequence[Difference]) -> Table | Text:
    """The first of the settings that differ; the page has them all."""
    if not differing:
        return Text("No setting differs.")
    table = Table(title="settings that differ")
    table.add_column("setting", overflow="fold")
    for letter, _ in zip(LETTERS, differing[0].values, strict=False):
        table.add_column(letter, overflow="fold")
    for row in differing[:MOST_SETTINGS]:
        values = (Text(shortened(value, MOST_LETTERS)) for value in row.values)
        table.add_row(Text(row.key), *values)
    return table
