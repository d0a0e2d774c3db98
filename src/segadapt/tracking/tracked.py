"""Follows the files that a run writes, for all trackers that were asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from segadapt.base.errors import SegadaptError, first_line, printable
from segadapt.tracking.choice import TRACKERS
from segadapt.tracking.evaluation import REPORT_FILE, pictures_of, scores_of
from segadapt.tracking.told import FOLDER, Told
from segadapt.tracking.tracker import RunToTrack, Tracker

LOGS = ("metrics.jsonl", "validation.jsonl")


class Tracked:
    """The trackers of one run; without any, nothing is done.

    A tracker that fails is left alone from then on, after one warning: the run goes on. What it was
    not told it is told when the run is given again.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._trackers: dict[str, tuple[Tracker, Told]] = {}
        self._read: dict[Path, int] = {}
        self.names = names

    def open(
        self, run: Path, title: str, settings: Mapping[str, Any], fingerprints: Mapping[str, str]
    ) -> None:
        """Open a run in every tracker, or the one that it was followed in before.

        Raises:
            SegadaptError: a tracker cannot begin.
        """
        if self.names:
            (run / FOLDER).mkdir(exist_ok=True)
        for name in self.names:
            told = Told(run, name, fingerprints)
            try:
                tracker = TRACKERS[name](RunToTrack(told.id, title, run / FOLDER, settings))
            except Exception as error:  # each library has a kind of its own for each failure
                raise SegadaptError(
                    f"--track {name}: cannot begin ({_what(error)}); mend it, or leave it out"
                ) from error
            self._trackers[name] = tracker, told

    def logged(self, stage: str, folder: Path) -> None:
        """Tell what the logs of a stage have got since."""
        if not self._trackers:
            return
        for file in LOGS:
            new = list(self._new_lines(folder / file))
            for name in list(self._trackers):
                self._tell_lines(name, stage, file, new)

    def finished(self, stage: str, folder: Path) -> None:
        """Tell the rest of a stage that is done: its logs, and of an evaluation all it found."""
        self.logged(stage, folder)
        if not (folder / REPORT_FILE).is_file():
            return
        for name in list(self._trackers):
            self._tell_evaluation(name, stage, folder)

    def close(self, complete: bool) -> None:
        """Let trackers send what is waiting."""
        for name, (tracker, _) in list(self._trackers.items()):
            try:
                tracker.finish(complete)
            except Exception as error:
                self._give_up(name, error)
        self._trackers.clear()

    def _new_lines(self, path: Path) -> Iterator[dict[str, Any]]:
        if not path.is_file():
            return
        with path.open("rb") as file:
            if file.seek(0, 2) < self._read.get(path, 0):
                self._read[path] = 0  # it was written anew
            file.seek(self._read.get(path, 0))
            for line in file.read().splitlines():
                yield json.loads(line)
            self._read[path] = file.tell()

    def _tell_lines(
        self, name: str, stage: str, file: str, lines: Sequence[Mapping[str, Any]]
    ) -> None:
        tracker, told = self._trackers[name]
        before = "validation_" if file == "validation.jsonl" else ""
        reached = until = told.until(stage, file)
        try:
            for line in (line for line in lines if line["iteration"] > until):
                values = {
                    f"{stage}/{before}{key}": float(value)
                    for key, value in line.items()
                    if key != "iteration" and isinstance(value, (int, float))
                }
                tracker.scalars(line["iteration"], values)
                reached = line["iteration"]
        except Exception as error:
            self._give_up(name, error)
        if reached > until:
            told.note(stage, file, reached)

    def _tell_evaluation(self, name: str, stage: str, folder: Path) -> None:
        tracker, told = self._trackers[name]
        if told.until(stage, REPORT_FILE) >= 0:
            return
        try:
            tracker.scalars(0, scores_of(stage, folder))
            for title, picture in pictures_of(stage, folder):
                tracker.picture(title, picture)
            told.note(stage, REPORT_FILE, 0)
        except Exception as error:
            self._give_up(name, error)

    def _give_up(self, name: str, error: Exception) -> None:
        del self._trackers[name]
        print(
            f"warning: --track {name}: has failed and is told no more ({printable(_what(error))}); "
            "the run goes on, and the same command tells it the rest",
            flush=True,
        )


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
