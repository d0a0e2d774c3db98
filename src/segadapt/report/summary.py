"""Runs of one recipe with several seeds: mean and spread as JSON, Markdown and a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segadapt.artefacts import strict_json
from segadapt.report import charts, wording
from segadapt.report.gap import best_oracle, share_closed
from segadapt.report.page import environment, in_utf8
from segadapt.report.read import read_run
from segadapt.report.records import Evaluation, Run
from segadapt.report.spreads import Spread, is_clear, percents, points, spread


@dataclass(frozen=True)
class Row:
    """One checkpoint over all seeds, as fractions."""

    checkpoint: str
    oracle: bool
    value: Spread
    gain: Spread | None
    """Over the first checkpoint, seed by seed; None for the first."""
    iou: list[Spread | None]
    """By class; None where a class is absent with some seed."""
    closed: Spread | None = None
    """Share of the gap between the first checkpoint and the oracle, seed by seed; None without."""


@dataclass(frozen=True)
class Comparison:
    """An evaluation that all seeds have."""

    domain: str
    classes: list[str]
    rows: list[Row]
    measure: str = "mIoU"


def seed_directory(directory: Path, seed: int) -> Path:
    """The run of one seed in the folder of all."""
    return directory / f"seed-{seed}"


def is_summary(directory: Path) -> bool:
    """Whether a folder holds runs of several seeds."""
    return bool(_seed_folders(directory))


def _seed_folders(directory: Path) -> list[Path]:
    """Folders of runs by their seeds; copies of them, ``seed-0-backup``, are none."""
    found = (path.parent for path in directory.glob("seed-*/run.json"))
    seeds = {p: p.name.partition("-")[2] for p in found}
    return sorted((p for p, seed in seeds.items() if seed.isdecimal()), key=lambda p: int(seeds[p]))


def build_summary(directory: Path) -> Path:
    """Write ``summary.json``, ``summary.md`` and ``report.html``; returns the page."""
    folders = _seed_folders(directory)
    runs = [read_run(folder) for folder in folders]
    seeds = [int(run.info["seed"]) for run in runs]
    comparisons = _comparisons(runs)
    summary = {
        "recipe": runs[0].info.get("recipe"),
        "seeds": seeds,
        "evaluations": [asdict(comparison) for comparison in comparisons],
    }
    (directory / "summary.json").write_text(strict_json(summary, indent=1) + "\n")
    (directory / "summary.md").write_text(in_utf8(markdown(comparisons, seeds)), encoding="utf-8")
    template = environment().get_template("summary.html.j2")
    page = directory / "report.html"
    page.write_text(
        in_utf8(
            template.render(
                info=runs[0].info,
                seeds=seeds,
                folders=[folder.name for folder in folders],
                comparisons=[(c, _chart(c)) for c in comparisons],
                headline=headline(comparisons, len(seeds)),
                total=wording.duration(sum(s.seconds or 0.0 for run in runs for s in run.stages)),
            )
        ),
        encoding="utf-8",
    )
    return page


def _comparisons(runs: Sequence[Run]) -> list[Comparison]:
    """Evaluations that are finished in all runs, stage by stage."""
    names = [{e.stage.name for e in run.evaluations} for run in runs]
    shared = set.intersection(*names)
    return [
        _compared([next(e for e in run.evaluations if e.stage.name == name) for run in runs])
        for name in (e.stage.name for e in runs[0].evaluations)
        if name in shared
    ]


def _compared(evaluations: Sequence[Evaluation]) -> Comparison:
    first = evaluations[0]
    by_name = [{s.checkpoint: s for s in e.scores if s.value is not None} for e in evaluations]
    start: list[float] | None = None
    oracles = [best_oracle(scores.values()) for scores in by_name]
    rows = []
    for score in first.scores:
        found = [scores.get(score.checkpoint) for scores in by_name]
        whole = [s for s in found if s is not None]
        if len(whole) < len(evaluations):
            continue
        values = [s.value or 0.0 for s in whole]
        gain = None if start is None else [v - w for v, w in zip(values, start, strict=True)]
        closed = None
        if start is not None and not score.is_oracle:
            shares = [share_closed(*x) for x in zip(values, start, oracles, strict=True)]
            whole_shares = [share for share in shares if share is not None]
            closed = spread(whole_shares) if len(whole_shares) == len(values) else None
        start = values if start is None else start
        rows.append(
            Row(
                score.checkpoint,
                score.is_oracle,
                spread(values),
                None if gain is None else spread(gain),
                [_class_spread([s.iou[i] for s in whole]) for i in range(len(first.classes))],
                closed,
            )
        )
    return Comparison(first.domain, first.classes, rows, first.measure)


def _class_spread(values: Sequence[float | None]) -> Spread | None:
    present = [value for value in values if value is not None]
    return spread(present) if len(present) == len(values) else None


def headline(comparisons: Sequence[Comparison], seeds: int) -> str:
    """The best checkpoint without target labels, and what it gained over the first."""
    measure = comparisons[0].measure if comparisons else "mIoU"
    count = "one seed" if seeds == 1 else f"{seeds} seeds"
    if not comparisons or not comparisons[0].rows:
        return f"Nothing is scored with every one of {count} yet."
    rows = comparisons[0].rows
    first, *others = [row for row in rows if not row.oracle] or rows
    best = max(others, key=lambda row: row.value.mean, default=first)
    name, start = _marked_name(best), _marked_name(first)
    if best.gain is None:
        return f"{name}: {points(best.value)} {measure} over {count}."
    doubt = "" if is_clear(best.gain) else " (no more than the spread)"
    gain = points(best.gain, signed=True)
    relation = "against" if best.gain.mean < 0 else "over"
    return f"{name} {gain} {measure} points {relation} {start}{doubt}, {count}."


def _marked_name(row: Row) -> str:
    return wording.display_name(row.checkpoint) + (" (oracle)" if row.oracle else "")


def _escaped(text: str) -> str:
    """For a cell of a Markdown table, whatever somebody called it."""
    signs = str.maketrans({sign: f"\\{sign}" for sign in "\\|`*[]<>"})
    return " ".join(text.translate(signs).split())


def markdown(comparisons: Sequence[Comparison], seeds: Sequence[int]) -> str:
    """Tables of scores and gain, mean and standard deviation over the seeds."""
    parts = []
    for comparison in comparisons:
        lines = [
            f"| {_escaped(comparison.domain)} | {comparison.measure} | gain, seed by seed | "
            f"gap closed, % | seeds {', '.join(str(seed) for seed in seeds)} |",
            "|---|---:|---:|---:|---|",
        ]
        for row in comparison.rows:
            name = _escaped(row.checkpoint) + (" (target labels)" if row.oracle else "")
            each = ", ".join(f"{100 * value:.1f}" for value in row.value.values)
            gain = "" if row.gain is None else points(row.gain, signed=True)
            lines.append(
                f"| {name} | {points(row.value)} | {gain} | {percents(row.closed)} | {each} |"
            )
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _chart(comparison: Comparison) -> Any:
    values = [v for row in comparison.rows for v in row.value.values if math.isfinite(v)]
    if not values:
        return ""
    return charts.strips(
        [
            charts.Strip(wording.display_name(row.checkpoint), row.value.values, row.oracle)
            for row in comparison.rows
        ]
    )
