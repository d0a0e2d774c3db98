"""Small files that somebody gives: never a pipe that is waited for, nor more than memory holds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST_BYTES = 2**28
"""No list of images and no file of classes is as long."""


def read_ordinary(path: Path) -> bytes:
    """The content of an ordinary file.

    Raises:
        OSError: there is none, it is a pipe, a socket, a device or a folder, or is too large.
    """
    # Opening a pipe waits for somebody who writes, unless it is told not to.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode):
            raise OSError("it is no ordinary file")
        if state.st_size > MOST_BYTES:
            raise OSError(f"it has {state.st_size / 2**20:.0f} MiB, which is too much")
        with open(number, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    finally:
        os.close(number)
