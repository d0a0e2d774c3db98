"""The two kinds of error that a user sees as a sentence instead of a traceback."""

from __future__ import annotations


class SegadaptError(Exception):
    """Bad input or an impossible request; the message says what, where, and what to do.

    The command line prints the message alone and exits with status 2; ``--debug`` shows more.
    """


class Interrupted(Exception):
    """SIGINT or SIGTERM came. The state is saved; the same command goes on from there."""


def first_line(error: BaseException) -> str:
    """What an error of another library says, short enough for a sentence of ours."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
