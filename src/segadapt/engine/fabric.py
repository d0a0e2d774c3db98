"""Devices, precision and processes; the only place that knows Lightning Fabric."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from segadapt.base.compute import Compute
from segadapt.base.errors import Interrupted, SegadaptError, Unforeseen, unforeseen
from segadapt.base.signals import STOPPING, end_with_parent
from segadapt.data.decoders import loaders_closed
from segadapt.engine.device import check_compute, pick_device, picked
from segadapt.engine.launcher import Launched
from segadapt.engine.semaphores import own_semaphores
from segadapt.engine.version_alone import version_alone

# It imports torchmetrics for its version, which brings SciPy along where that is installed.
with version_alone("torchmetrics"):
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

# Neither tells a user anything: which rank is which, and which processes an error ends.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)


PATIENCE = timedelta(hours=6)
"""That processes wait for each other before they take one for dead; a launcher ends them sooner."""


class Processes:
    """The processes of a run, their device and precision."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self.rank: int = fabric.global_rank
        self.count: int = fabric.world_size
        self.device: torch.device = fabric.device
        self.is_first = self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """The context that computes in the run's precision."""
        return self._fabric.autocast()

    def barrier(self) -> None:
        """Wait for all processes."""
        self._fabric.barrier()

    def mean(self, value: Tensor) -> Tensor:
        """Mean of a tensor over all processes."""
        if self.count == 1:
            return value
        total = value.detach().clone()
        torch.distributed.all_reduce(total)
        return total / self.count

    def sum(self, value: Tensor) -> Tensor:
        """Sum of a tensor over all processes."""
        if self.count == 1:
            return value
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total

    def any(self, value: bool) -> bool:
        """Whether ``value`` holds on at least one process."""
        if self.count == 1:
            return value
        flag = torch.tensor(int(value), device=self.device)
        torch.distributed.all_reduce(flag)
        return bool(flag)

    def gather(self, value: Any) -> list[Any]:
        """The value of every process, in the order of their ranks, on all of them."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def joined(self, value: Tensor) -> Tensor:
        """Tensors of all processes, alike in shape, joined along the first axis."""
        if self.count == 1:
            return value
        parts = [torch.empty_like(value) for _ in range(self.count)]
        torch.distributed.all_gather(parts, value.contiguous())
        return torch.cat(parts)

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes.

        Called once per step, after all of a method's backward passes: networks need no wrapper,
        methods stay plain torch, and one exchange serves all loss terms. Those of shared weights
        are means already.
        """
        if self.count == 1:
            return
        found = [p.grad for p in parameters if p.grad is not None]
        gradients = [gradient for gradient in found if not isinstance(gradient, DTensor)]
        if not gradients:
            return
        flat = torch.cat([g.reshape(-1) for g in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        parts = flat.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def launch(function: Callable[..., Any], arguments: tuple[Any, ...], compute: Compute) -> Any:
    """Call ``function(processes, *arguments)`` on each process; returns the first's result.

    Args:
        function: importable by name where there are several devices.
        arguments: picklable there.
        compute: device, number of processes, precision.

    Raises:
        SegadaptError: the device is not there, a process died, or ``function`` raises it.
        Interrupted: SIGINT or SIGTERM came.
    """
    check_compute(compute)
    accelerator, devices, precision = (
        pick_device(compute.device),
        compute.devices,
        compute.precision,
    )
    if devices == 1:
        fabric = Fabric(accelerator=accelerator, devices=picked(compute), precision=precision)
        with loaders_closed():
            return function(Processes(fabric), *arguments)
    own_semaphores()
    threads = max(1, torch.get_num_threads() // devices) if accelerator == "cpu" else None
    fabric = Fabric(
        accelerator=accelerator, devices=devices, strategy="ddp_spawn", precision=precision
    )
    with tempfile.TemporaryDirectory() as reports, _pass_on_signals() as signals:
        try:
            # Pickled by us: Fabric walks through arguments, and refuses frozen dataclasses.
            call = pickle.dumps((function, arguments))
            return fabric.launch(_in_process, call, threads, reports)  # type: ignore[arg-type]
        except (
            ProcessRaisedException,
            ProcessExitedException,
        ) as error:
            # The first one counts: others may have failed for its silence.
            for path in sorted(Path(reports).iterdir(), key=lambda x: x.stat().st_mtime_ns):
                raise pickle.loads(path.read_bytes()) from error
            if signals:
                raise Interrupted("stopped") from error
            if isinstance(error, ProcessExitedException):
                raise SegadaptError(
                    f"a process of --devices {devices} died ({error}); if the memory ran out, "
                    "lower the batch size or the number of processes. The same command goes on "
                    "from the last saved state"
                ) from error
            raise


def join(others: Launched, compute: Compute) -> Processes:
    """This process among those that a launcher has started, all of which come here."""
    if others.rank != 0:
        # One process talks; the others' lines would only repeat it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if ":" in compute.device:
        raise SegadaptError(
            f"--device {compute.device}: names one device, and a launcher gives each process its "
            "own; take --device cuda"
        )
    fabric = Fabric(
        accelerator=pick_device(compute.device),
        devices=others.on_each,
        num_nodes=others.nodes,
        # The first checks data for all of them meanwhile, which may take longer than the usual
        # half an hour.
        strategy=DDPStrategy(timeout=PATIENCE),
        precision=compute.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return Processes(fabric)


@contextlib.contextmanager
def _pass_on_signals() -> Iterator[list[int]]:
    """Hands SIGINT and SIGTERM to the processes, which save their state; yields those seen."""
    seen: list[int] = []

    def handler(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        for process in multiprocessing.active_children():
            if process.pid is not None:
                os.kill(process.pid, number)

    if threading.current_thread() is not threading.main_thread():
        yield seen  # whoever runs us there deals with signals
        return
    previous = {which: signal.signal(which, handler) for which in STOPPING}
    try:
        yield seen
    finally:
        for which, old in previous.items():
            signal.signal(which, old)


def _in_process(fabric: Fabric, call: bytes, threads: int | None, reports: str) -> Any:
    """Runs in a child. Errors go to a file in ``reports``."""
    os.setpgrp()  # a terminal's Ctrl-C then reaches the parent alone, which passes it on
    # A killed parent gives its lock on the run's folder back, so nothing may write there any more.
    end_with_parent()
    if threads is not None:
        torch.set_num_threads(threads)
    if fabric.global_rank != 0:
        # One process talks; the others' lines would only repeat it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    function, arguments = pickle.loads(call)
    try:
        with loaders_closed():
            return function(Processes(fabric), *arguments)
    except Exception as error:
        told = error
        if not isinstance(error, SegadaptError | Interrupted):
            told = Unforeseen(unforeseen(error))  # whatever it is, it may not be picklable
        Path(reports, str(fabric.global_rank)).write_bytes(pickle.dumps(told))
        raise
    except KeyboardInterrupt as error:
        # torch would take it for a regular end of the process.
        raise RuntimeError("stopped") from error
