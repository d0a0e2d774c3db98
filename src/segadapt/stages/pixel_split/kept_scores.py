"""Score maps from the first pass over the images, so that the networks see each of them once."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from segadapt.base.errors import SegadaptError, first_line
from segadapt.engine.fabric import Processes

FOLDER = "scores"
SHARE = 0.25
"""Of the room on the disk that is free; images beyond are looked at anew in every pass. One of
1024x512 takes 0.6 MB at an eighth of its sides and 19 classes."""


class Scored(NamedTuple):
    """What a network said of one image."""

    number: int
    logits: torch.Tensor
    """(1, C, h, w) float32 class scores."""
    size: tuple[int, int]
    """(height, width) of the image that it saw."""

    @property
    def indices(self) -> list[int]:
        """The image's number: what a progress bar counts."""
        return [self.number]


class KeptScores:
    """Scores by image, in files of one image each. A stage that was stopped finds them again."""

    def __init__(self, directory: Path, processes: Processes) -> None:
        self._folder = directory / FOLDER
        self._processes = processes
        self._folder.mkdir(exist_ok=True)
        self._room = int(SHARE * shutil.disk_usage(self._folder).free) // processes.count

    def indices(self) -> set[int]:
        """Numbers of the images that are kept; all processes are told the same."""
        found = {int(path.stem) for path in self._folder.glob("*.npz")}
        # The first process's: on a shared disk others may see a little more, or less. Nobody adds
        # to them before all know.
        return set(self._processes.gather(found)[0])

    def keep(self, scored: Scored) -> None:
        """Write it, as long as there is room."""
        logits = scored.logits.cpu().contiguous().numpy()
        self._room -= logits.nbytes
        if self._room < 0:
            return
        path = self._path(scored.number)
        half = path.with_suffix(f".{os.getpid()}")
        try:
            with half.open("wb") as file:
                np.savez(file, logits=logits, size=scored.size)
            half.replace(path)
        except OSError:  # somebody else has filled the disk: what is not kept is looked at again
            self._room = 0
            half.unlink(missing_ok=True)

    def read(self, index: int) -> Scored:
        """What was kept of image ``index``, on the device of this process."""
        path = self._path(index)
        try:
            with np.load(path, allow_pickle=False) as file:
                logits = torch.from_numpy(file["logits"]).to(self._processes.device)
                height, width = file["size"].tolist()
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SegadaptError(
                f"{path}: cannot be read ({first_line(error)}), as after a loss of power; delete "
                "it and give the same command again"
            ) from error
        return Scored(index, logits, (height, width))

    def _path(self, index: int) -> Path:
        return self._folder / f"{index}.npz"

    def remove(self) -> None:
        """The stage has its labels: they have served."""
        self._processes.barrier()
        if self._processes.is_first:
            shutil.rmtree(self._folder)
