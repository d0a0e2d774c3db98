"""Processes that torchrun or SLURM has started: how many there are, and which one this is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from segadapt.base.errors import SegadaptError

TORCHRUN = ("WORLD_SIZE", "RANK", "LOCAL_WORLD_SIZE")
SLURM = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_NUM_NODES")
INTERACTIVE = ("bash", "interactive")
"""Names of jobs that Lightning takes for somebody at a terminal."""


@dataclass(frozen=True)
class Launched:
    """One of the processes of a run that a launcher has started."""

    by: str
    count: int
    """Of all processes, on all nodes."""
    rank: int
    nodes: int

    @property
    def on_each(self) -> int:
        """Processes of a node."""
        return self.count // self.nodes


def launched(environment: Mapping[str, str] = os.environ) -> Launched | None:
    """What a launcher says in the environment; None where there is none, or one process.

    Raises:
        SegadaptError: it says something that cannot be.
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        count, rank, on_each = _numbers("torchrun", TORCHRUN, environment)
        found = Launched("torchrun", count, rank, max(1, count // max(1, on_each)))
    elif "SLURM_STEP_NUM_TASKS" in environment:
        # srun's own; sbatch says how many tasks there could be, also to a script that is alone.
        count, rank, nodes = _numbers("SLURM", SLURM, environment)
        found = Launched("SLURM", count, rank, max(1, nodes))
        name = environment.get("SLURM_JOB_NAME")
        if count > 1 and name in INTERACTIVE:
            raise SegadaptError(
                f"SLURM's job is called {name!r}, which counts as somebody at a terminal; give it "
                "another name with --job-name"
            )
    else:
        return None
    if found.count % found.nodes:
        raise SegadaptError(
            f"{found.by}: {found.count} processes on {found.nodes} nodes; every node needs as many "
            "as the others"
        )
    return found if found.count > 1 else None


def require_alike(found: Launched, devices: int) -> None:
    """Raise SegadaptError where ``--devices`` says something else than the launcher.

    Args:
        found: what the launcher says.
        devices: that were asked for; 1 where nothing was.
    """
    if devices not in (1, found.on_each):
        raise SegadaptError(
            f"--devices {devices}: {found.by} has started {found.on_each} processes on each of "
            f"{found.nodes} nodes; leave --devices out, the launcher's numbers hold"
        )


def _numbers(by: str, keys: tuple[str, ...], environment: Mapping[str, str]) -> list[int]:
    try:
        return [int(environment[key]) for key in keys]
    except (KeyError, ValueError) as error:
        raise SegadaptError(
            f"{by} has started this process, and {', '.join(keys)} of the environment are not the "
            f"numbers that it sets ({error}); start it with {by} again"
        ) from error
