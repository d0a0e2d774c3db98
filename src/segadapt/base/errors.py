"""The two kinds of error that a user sees as a sentence instead of a traceback."""

from __future__ import annotations

import re
import reprlib
from pathlib import Path


class SegadaptError(Exception):
    """Bad input or an impossible request; the message says what, where, and what to do.

    The command line prints the message alone and exits with status 2; ``--debug`` shows more.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class Interrupted(Exception):
    """SIGINT or SIGTERM came. The state is saved; the same command goes on from there."""


class Stopped(BaseException):
    """SIGINT or SIGTERM came where nothing was waiting for it; no error, so nobody mends it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """Of the signal."""


class Unforeseen(Exception):
    """Another process failed for a reason that nobody thought of; the message is a sentence."""


def printable(text: str) -> str:
    """A text on one line that every terminal and file takes, whatever names of files are in it.

    Line ends and other control characters, and bytes that are no UTF-8, are written as escapes.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found.group())[1:-1], text)


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def first_line(error: BaseException) -> str:
    """What an error of another library says, short enough for a sentence of ours."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def shortened(value: object) -> str:
    """What a value is, short enough for a sentence of ours, however much it is."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none where no file can have the name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def unforeseen(error: BaseException) -> str:
    """A sentence for an error that nobody thought of: what, where, while what was being done."""
    if isinstance(error, Unforeseen):
        return str(error)
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = ""
    if last is not None:
        place = f" in {last.tb_frame.f_code.co_filename}, line {last.tb_lineno}"
    doing = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
    return (
        f"{type(error).__name__}{place}{doing}: {first_line(error)}. Nothing that was finished is "
        "lost; --debug before the verb shows how it came to it"
    )
