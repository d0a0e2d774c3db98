"""What a stage has found of each image so far, so that a stopped one goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segadapt.base.counted import counted
from segadapt.engine.fabric import Processes

FOLDER = "so-far"


class Kept:
    """Values by image in files of one line each; every process writes its own, and reads all."""

    def __init__(self, directory: Path, processes: Processes) -> None:
        self._folder = directory / FOLDER
        self._processes = processes
        self.values: dict[int, Any] = {}
        for path in sorted(self._folder.glob("*.jsonl")) if self._folder.is_dir() else ():
            self.values |= dict(_lines(path))
        if self.values and processes.is_first:
            print(f"{directory.name}: goes on, {counted(len(self.values), 'image')} done before")
        processes.barrier()  # nobody writes while others still read
        self._folder.mkdir(exist_ok=True)
        self._file = (self._folder / f"{processes.rank}.jsonl").open("a")
        self._file.write("\n")  # after a line that a kill may have cut short

    def add(self, index: int, value: Any) -> None:
        """Keep what was found of image ``index``: numbers, lists of them."""
        self.values[index] = value
        self._file.write(json.dumps([index, value]) + "\n")
        self._file.flush()

    def close(self) -> None:
        """All is found: the files have served."""
        self._file.close()
        self._processes.barrier()
        if self._processes.is_first:
            for path in self._folder.glob("*.jsonl"):
                path.unlink()
            self._folder.rmdir()


def _lines(path: Path) -> Iterable[tuple[int, Any]]:
    for line in path.read_text(errors="replace").splitlines():
        try:
            index, value = json.loads(line)
        except (ValueError, TypeError):
            continue  # empty, or cut short
        yield index, value
