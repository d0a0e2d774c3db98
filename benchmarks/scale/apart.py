"""Seconds and memory of one piece of work, in a process that has done nothing else."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

MIB = 2**20
Job = Callable[[], int | None]
"""Gives the bytes that it left on the disk or sent, where there are any."""


class Cost(NamedTuple):
    """What the work took."""

    seconds: float
    """Of a core's, which others on the machine do not lengthen as they do the clock's."""
    peak: int
    """Most bytes that the process had while it worked, over those it had after its imports."""
    left: int | None
    """Bytes on the disk, or sent."""


def cost_of(prepare: Callable[[Path, int], Job], root: Path, number: int) -> Cost:
    """What the job costs that ``prepare(root, number)`` gives; preparing counts as memory alone.

    Raises:
        RuntimeError: the process ended without an answer.
    """
    # From a server that has imported all and done nothing: a start takes no seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.scale.lists"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, prepare, root, number))
    process.start()
    sender.close()
    try:
        found: Cost = receiver.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"its process ended with code {process.exitcode}") from None
    process.join()
    return found


def _answer(
    sender: Connection, prepare: Callable[[Path, int], Job], root: Path, number: int
) -> None:
    before = _bytes("VmRSS")
    job = prepare(root, number)
    gc.collect()
    # What preparing has freed goes back, and is not taken for memory that the job needs.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    start = time.process_time()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        left = job()
    seconds = time.process_time() - start
    sender.send(Cost(seconds, _bytes("VmHWM") - before, left))


def _bytes(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)
