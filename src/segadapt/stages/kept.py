"""What a stage has found of each image so far, so that a stopped one goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from segadapt.base.counted import counted
from segadapt.data.domain import Domain
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.stages.context import Work

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


def of_each_image(
    domain: Domain,
    work: Work,
    batch_size: int,
    workers: int,
    find: Callable[[int, Tensor], Any],
) -> tuple[Kept, list[Any]]:
    """What ``find`` gives of each image, in the domain's order, on every process.

    It is called with the image's number and RGB (1, height, width, 3) uint8: one image at a time,
    so that nothing depends on the batch size. What it gives is kept; close the first of what is
    returned when the stage's outputs are written.
    """
    kept = Kept(work.directory, work.processes)
    done = set(kept.values)
    batches = looked_at(domain, work.processes, batch_size, workers, without=done)
    for batch in progress(batches, work.name, len(domain), work.processes):
        for index, image in zip(batch.indices, batch.image, strict=True):
            kept.add(index, find(index, image[None]))
    found = {i: x for part in work.processes.gather(kept.values) for i, x in part.items()}
    return kept, [found[i] for i in range(len(domain))]


def _lines(path: Path) -> Iterable[tuple[int, Any]]:
    for line in path.read_text(errors="replace").splitlines():
        try:
            index, value = json.loads(line)
        except (ValueError, TypeError):
            continue  # empty, or cut short
        yield index, value
