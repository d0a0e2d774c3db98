"""Which label-free score ranks snapshots best: over the evaluations of finished runs.

    python benchmarks/selection.py RUN [RUN ...]

For every score: Spearman's correlation with the true mIoU within each training (mean and spread
over the trainings), over all snapshots of a run's trainings together (mean over the runs), and the
mIoU of what it would have chosen, beside the last snapshot and the best one.
"""

from __future__ import annotations

import math
import statistics
import sys
from pathlib import Path

from segadapt.report.read import read_run
from segadapt.report.records import Selection
from segadapt.selection.ranking import spearman


def main(folders: list[str]) -> None:
    """Print the table as Markdown."""
    runs = [
        [s for evaluation in read_run(Path(folder)).evaluations for s in evaluation.selections]
        for folder in folders
    ]
    trainings = [selection for run in runs for selection in run]
    names = sorted({name for s in trainings for x in s.snapshots for name in x.scores})
    snapshots = sum(len(s.snapshots) for s in trainings)
    print(f"{len(trainings)} trainings in {len(runs)} runs, {snapshots} snapshots\n")
    print("| score | within a training | all snapshots of a run | mIoU of its choice |")
    print("|---|---:|---:|---:|")
    for name in names:
        within = [_correlation(s, name) for s in trainings]
        pooled = [spearman(*_values(run, name)) for run in runs if run]
        chosen = [
            max(s.snapshots, key=lambda x: x.scores[name] or 0.0).value or 0.0 for s in trainings
        ]
        print(f"| {name} | {_spread(within, 2)} | {_spread(pooled, 2)} | {_percent(chosen)} |")
    last = [s.snapshots[-1].value or 0.0 for s in trainings]
    best = [max(x.value or 0.0 for x in s.snapshots) for s in trainings]
    print(f"| (the last snapshot) | | | {_percent(last)} |")
    print(f"| (the best: needs labels) | | | {_percent(best)} |")


def _values(selections: list[Selection], name: str) -> tuple[list[float], list[float]]:
    rows = [x for s in selections for x in s.snapshots]
    return [x.scores[name] or 0.0 for x in rows], [x.value or 0.0 for x in rows]


def _correlation(selection: Selection, name: str) -> float:
    return spearman(*_values([selection], name))


def _spread(values: list[float], digits: int) -> str:
    found = [value for value in values if math.isfinite(value)]
    if not found:
        return "–"
    deviation = statistics.stdev(found) if len(found) > 1 else 0.0
    return f"{statistics.mean(found):+.{digits}f} ± {deviation:.{digits}f}"


def _percent(values: list[float]) -> str:
    return f"{100 * statistics.mean(values):.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])
