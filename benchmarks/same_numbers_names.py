"""Names of entries in checkpoints as they were when ``same_numbers.py`` was first recorded."""

from __future__ import annotations


def first_name(name: str) -> str:
    """The name in version 0.1 of an entry of today."""
    return name
