"""The one kind of error that a user sees as a sentence instead of a traceback."""

from __future__ import annotations


class SegadaptError(Exception):
    """Bad input or an impossible request; the message says what, where, and what to do.

    The command line prints the message alone and exits with status 2 (a traceback needs ``--debug``).
    """
