"""What a run has come to, in a table of a few lines."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from segadapt.base.errors import printable
from segadapt.report import wording
from segadapt.report.inspection_records import Inspection
from segadapt.report.read import read_run
from segadapt.report.records import Evaluation
from segadapt.runs.terminal import narrow_console, narrow_table


def print_results(directory: Path) -> None:
    """Print the scores of every evaluation, and the numbers without labels of every inspection."""
    run = read_run(directory)
    console = narrow_console()
    for evaluation in run.evaluations:
        if evaluation.scores:
            _print_scores(console, evaluation)
    for inspection in run.inspections:
        _print_inspection(console, inspection)
    if run.is_unscored:
        console.print("no target labels: nothing says how often these are right")


def _print_scores(console: Console, evaluation: Evaluation) -> None:
    means = list(evaluation.scores[0].means)
    table = narrow_table(
        printable(evaluation.domain), evaluation.measure, "gain", *means, "", numbers_from=1
    )
    table.columns[-1].justify = "left"
    first = (wording.honest_scores(evaluation) or evaluation.scores)[0]
    for score in evaluation.scores:
        points = None if score is first else wording.points_between(score.value, first.value)
        table.add_row(
            printable(score.checkpoint),
            wording.percent(score.value),
            wording.gain(points),
            *(wording.percent(score.means[name]) for name in means),
            score.mark,
        )
    console.print(table)


def _print_inspection(console: Console, inspection: Inspection) -> None:
    first = inspection.checkpoints[0].checkpoint
    titles = ["mean entropy", f"differs from {printable(first)}"]
    table = narrow_table(printable(inspection.domain), *titles, numbers_from=1)
    for one, agreement in zip(inspection.checkpoints, inspection.agreement[0], strict=True):
        changed = "" if one.checkpoint == first else f"{wording.percent(1 - agreement)} %"
        table.add_row(printable(one.checkpoint), f"{one.entropy:.3f}", changed)
    console.print(table)
