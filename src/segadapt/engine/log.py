"""Numbers of a training stage: metrics.jsonl is the truth, everything else is drawn from it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from segadapt.base.counted import counted
from segadapt.base.durations import about
from segadapt.engine.fabric import Processes


class HasIndices(Protocol):
    """A batch that knows which images it holds."""

    @property
    def indices(self) -> list[int]:
        """Indices of the images in their domain."""
        ...


Batch = TypeVar("Batch", bound=HasIndices)

PLAIN_LINE_EVERY = 15.0
"""Seconds between two lines where there is no terminal."""


class TrainingLog:
    """Writes records to ``metrics.jsonl`` and shows progress.

    A terminal gets a progress bar with rate, remaining time and losses; anything else gets plain
    lines.
    """

    def __init__(
        self,
        directory: Path,
        title: str,
        enabled: bool,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        """``enabled`` is false on all but the first process, which then log nothing.

        ``written`` is called after each record, for whoever follows the file.
        """
        self._path = directory / "metrics.jsonl"
        self.title = title
        self._enabled = enabled
        self._written = written
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._last_line = 0.0
        self._total = 0
        self._begun = (0, 0.0)

    def begin(self, start: int, total: int) -> None:
        """Start at iteration ``start``; records of a killed run beyond it are dropped."""
        self._total = total
        self._begun = (start, time.monotonic())
        if not self._enabled:
            return
        if self._path.is_file():
            kept = [r for r in _read_lines(self._path) if r["iteration"] <= start]
            partial = self._path.with_name(self._path.name + ".partial")
            partial.write_text("".join(json.dumps(r) + "\n" for r in kept))
            partial.replace(self._path)
        if start:
            print(f"{self.title}: goes on at iteration {start}", flush=True)
        if sys.stdout.isatty():
            self._progress = training_bar(Console())
            self._task = self._progress.add_task(
                self.title, total=total, completed=start, numbers=""
            )
            self._progress.start()

    def record(
        self, iteration: int, losses: dict[str, float], learning_rate: float, rate: float
    ) -> None:
        """Add one record: losses by name, the learning rate, and images of each domain a second."""
        if not self._enabled:
            return
        entry = {"iteration": iteration, **losses, "lr": learning_rate, "images_per_second": rate}
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        self._written()
        numbers = [f"{k.removeprefix('loss_')} {v:.3g}" for k, v in losses.items()]
        if self._progress is not None and self._task is not None:
            said = "  ".join([f"{rate:.1f} images/s", *numbers])
            self._progress.update(self._task, completed=iteration, numbers=said)
        elif time.monotonic() - self._last_line >= PLAIN_LINE_EVERY or iteration == self._total:
            self._last_line = time.monotonic()
            line = f"{self.title}: {iteration}/{self._total}{self._left(iteration)}"
            line = f"{line}  {rate:.1f} images/s"
            print(fitting(line, numbers), flush=True)

    def _left(self, iteration: int) -> str:
        """The time that is left at the speed so far, the first steps included; they are slower."""
        start, clock = self._begun
        if iteration == self._total:
            return ""
        each = (time.monotonic() - clock) / max(1, iteration - start)
        return f"  {about(each * (self._total - iteration))} left"

    def close(self) -> None:
        """Close the progress bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def training_bar(console: Console) -> Progress:
    """Name, bar, iteration and time left, whatever the width; the numbers get what is left."""
    whole = Column(no_wrap=True)
    return Progress(
        TextColumn(
            "{task.description}",
            table_column=Column(no_wrap=True, overflow="ellipsis", max_width=24),
        ),
        BarColumn(bar_width=16),
        MofNCompleteColumn(table_column=whole),
        TimeRemainingColumn(table_column=whole),
        TextColumn(
            "{task.fields[numbers]}",
            style="dim",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        console=console,
        expand=True,
    )


def fitting(line: str, numbers: Sequence[str], width: int = 99) -> str:
    """A line with as many of the numbers as ``width`` characters hold; dots for the others."""
    for number in numbers:
        if len(line) + 2 + len(number) + len(" ...") > width:
            return f"{line} ..."
        line = f"{line}  {number}"
    return line


def _read_lines(path: Path) -> list[dict[str, Any]]:
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break  # a kill can cut the last line short
    return records


def progress(
    batches: Iterable[Batch], title: str, total: int, processes: Processes
) -> Iterator[Batch]:
    """Pass inference batches through and show how many of ``total`` images are done."""
    if not processes.is_first:
        yield from batches
        return
    if sys.stdout.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        ) as bar:
            task = bar.add_task(title, total=total)
            for batch in batches:
                yield batch
                bar.advance(task, len(batch.indices) * processes.count)
        return
    done, started, last = 0, time.monotonic(), time.monotonic()
    for batch in batches:
        yield batch
        done = min(total, done + len(batch.indices) * processes.count)
        if time.monotonic() - last >= PLAIN_LINE_EVERY:
            last = time.monotonic()
            print(f"{title}: {done}/{total} images", flush=True)
    print(f"{title}: {counted(total, 'image')} in {time.monotonic() - started:.1f} s", flush=True)
