"""Ctrl-C and SIGTERM, put off where they would be lost or do harm."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""What asks a command to stop: a user, a machine that shuts down, a scheduler before a time limit
(SLURM's ``--signal=USR1@120``)."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Puts Ctrl-C and SIGTERM off to the end: Python drops what they raise while it forks and in
    destructors, and loaders start their processes in the one and stop them in the other; extension
    modules turn it into errors of their own.
    """
    seen: list[int] = []
    previous: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for which in STOPPING:
            previous[which] = signal.signal(which, lambda number, frame: seen.append(number))
    try:
        yield
    finally:
        for which, old in previous.items():
            signal.signal(which, old)
        for number in seen:
            signal.raise_signal(number)


def end_with_parent() -> None:
    """Called in a process of ours: it ends as soon as the one that started it has.

    One that was killed says so to nobody, and its processes would wait for work for ever.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def left_to_parent() -> None:
    """Called in a process of a pool: what asks a command to stop is its parent's to answer.

    Schedulers signal all processes; a pool whose own die meanwhile ends in a traceback of Python's.
    """
    for which in STOPPING:
        signal.signal(which, signal.SIG_IGN)
    end_with_parent()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
