"""What is wrong with a recipe, as one sentence with its path."""

from __future__ import annotations

from collections.abc import Sequence

from segadapt.base.section import Problem


def worded(problems: Sequence[Problem]) -> str:
    """The first problem, and how many more there are."""
    # A misspelt key also makes the right one missing; it is what the reader has to see.
    first = min(problems, key=lambda problem: not problem.unknown_key)
    more = len(problems) - 1
    return f"{first.path}: {first.message}" + (
        f" (and {more} more problem{'s' * (more > 1)})" if more else ""
    )
