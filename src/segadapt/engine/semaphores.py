"""Semaphores between processes, which a killed run leaves in shared memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from pathlib import Path

SHARED = Path("/dev/shm")
PREFIX = "segadapt"


def own_semaphores() -> None:
    """Name those that are made from here on after this process, and remove those of dead ones.

    Where a whole group of processes is killed nobody is left to remove them. A name that holds the
    number of a process that no longer lives is surely ours to clear.
    """
    for path in SHARED.glob(f"sem.{PREFIX}-*"):
        number = path.name.split("-")[1]
        if number.isdecimal() and not _lives(int(number)):
            with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
                path.unlink()
    # The names' beginning is a setting of Python's that is not documented; without it, as before.
    settings = getattr(multiprocessing.current_process(), "_config", None)
    if isinstance(settings, dict) and "semprefix" in settings:
        settings["semprefix"] = f"/{PREFIX}-{os.getpid()}"


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
