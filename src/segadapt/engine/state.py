"""The saved state of a training stage: enough to go on with the same numbers."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from segadapt.base.errors import SegadaptError, first_line
from segadapt.engine.fabric import Processes
from segadapt.engine.sharding import load_network, load_optimizer, whole

STATE_FILE = "state.pt"


@dataclass
class TrainingState:
    """Networks, optimizers, method buffers and random states in one file.

    The file is the same whether processes share the weights or not.

    Batches need no state of their own: which images an iteration sees follows from the seed and
    the iteration number alone.
    """

    path: Path
    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    method: nn.Module
    processes: Processes

    def save(self, iteration: int) -> None:
        """Write the state after ``iteration`` iterations; the file is whole or the old one."""
        generators = self.processes.gather(self._generators())
        tensors = {
            "networks": {k: v.state_dict() for k, v in self.networks.items()},
            "optimizers": {k: v.state_dict() for k, v in self.optimizers.items()},
            "method": self.method.state_dict(),
        }
        gathered = whole(tensors, keep=self.processes.is_first)
        if self.processes.is_first:
            partial = self.path.with_name(self.path.name + ".partial")
            try:
                with partial.open("wb") as file:
                    state = {"iteration": iteration, **gathered, "generators": generators}
                    torch.save(state, file)
                    file.flush()
                    os.fsync(file.fileno())
            except (OSError, RuntimeError) as error:
                if "DataLoader worker" in str(error):
                    raise  # a signal that reached us here: nothing is wrong with the file
                partial.unlink(missing_ok=True)
                raise SegadaptError(
                    f"{self.path}: the training state cannot be written ({first_line(error)}); "
                    "free some disk space and give the same command again, it goes on from the "
                    "state before"
                ) from error
            partial.replace(self.path)
        self.processes.barrier()

    def _generators(self) -> dict[str, torch.Tensor]:
        found = {"cpu": torch.get_rng_state()}
        if self.processes.device.type == "cuda":
            found["cuda"] = torch.cuda.get_rng_state(self.processes.device)
        return found

    def _set_generators(self, states: Mapping[str, torch.Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if "cuda" in states and self.processes.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], self.processes.device)

    def load(self) -> int:
        """Restore the state where there is one; returns the number of iterations it has done.

        Raises:
            SegadaptError: the file is damaged.
        """
        if not self.path.is_file():
            return 0
        advice = "delete it to start this stage from its beginning"
        try:
            damaged = _damaged_part(self.path)
        except OSError as error:
            raise SegadaptError(f"{self.path}: cannot be read ({error.strerror})") from error
        if damaged is not None:
            raise SegadaptError(f"{self.path}: the saved training state is damaged; {advice}")
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            for name, network in self.networks.items():
                load_network(network, saved["networks"][name])
            for name, optimizer in self.optimizers.items():
                load_optimizer(optimizer, saved["optimizers"][name])
            load_network(self.method, saved["method"])
            generators = saved["generators"]
            if len(generators) == self.processes.count:
                self._set_generators(generators[self.processes.rank])
            return int(saved["iteration"])
        except Exception as error:  # whatever a file of something else makes the readers raise
            # Not what torch says: it advises to load such a file with all that it may execute.
            raise SegadaptError(
                f"{self.path}: the saved training state is not one of this stage; {advice}"
            ) from error


def _damaged_part(path: Path) -> str | None:
    """The first part of the file whose checksum is wrong; torch looks at none of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip()
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError):
        return "all of it"
