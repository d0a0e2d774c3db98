"""Devices, precision and processes; the only place that knows Lightning Fabric."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, Literal

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn

from segadapt.errors import SegadaptError

Precision = Literal["32-true", "bf16-mixed"]


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

    def gather(self, value: Any) -> list[Any]:
        """The value of every process, in the order of their ranks, on all of them."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes.

        Called once per step, after all of a method's backward passes: networks need no wrapper,
        methods stay plain torch, and one exchange serves all loss terms.
        """
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return
        flat = torch.cat([g.reshape(-1) for g in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def launch(
    function: Callable[..., Any], arguments: tuple[Any, ...], device: str, devices: int,
    precision: Precision,
) -> Any:
    """Call ``function(processes, *arguments)`` on ``devices`` processes; returns the first's result.

    Args:
        function: importable by name where ``devices`` is above 1.
        arguments: picklable there.
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: number of processes, one device each.
        precision: ``32-true`` or ``bf16-mixed``.

    Raises:
        SegadaptError: the device is not there, or what ``function`` raises as such.
    """
    check_device(device, devices)
    accelerator = pick_device(device)
    if devices == 1:
        fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
        return function(Processes(fabric), *arguments)
    threads = max(1, torch.get_num_threads() // devices) if accelerator == "cpu" else None
    fabric = Fabric(
        accelerator=accelerator, devices=devices, strategy="ddp_spawn", precision=precision
    )
    try:
        return fabric.launch(_in_process, function, arguments, threads)
    except torch.multiprocessing.ProcessRaisedException as error:
        # The child's error arrives as text; the user's sentence is its last line.
        lines = str(error).strip().splitlines()
        for line in reversed(lines):
            if "SegadaptError: " in line:
                raise SegadaptError(line.split("SegadaptError: ", 1)[1]) from error
        raise


def _in_process(
    fabric: Fabric, function: Callable[..., Any], arguments: tuple[Any, ...], threads: int | None
) -> Any:
    if threads is not None:
        torch.set_num_threads(threads)
    if fabric.global_rank != 0:
        # One process talks; the others' lines would only repeat it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    return function(Processes(fabric), *arguments)


def pick_device(device: str) -> str:
    """``auto`` resolved to ``cuda`` where there is one, else ``cpu``."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def check_device(device: str, devices: int) -> None:
    """Raise SegadaptError where the wanted devices are not there."""
    if device not in ("auto", "cpu", "cuda"):
        raise SegadaptError(f"--device {device}: choose auto, cpu or cuda")
    if devices < 1:
        raise SegadaptError(f"--devices {devices}: at least 1 is needed")
    if pick_device(device) == "cuda" and torch.cuda.device_count() < devices:
        raise SegadaptError(
            f"--device cuda --devices {devices}: this machine has {torch.cuda.device_count()} CUDA "
            "devices; ask for fewer, or for --device cpu"
        )
