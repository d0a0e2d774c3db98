"""What is wrong with a recipe, as one sentence with its path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from segadapt.base.section import AT_KEY


class Problem(NamedTuple):
    """One thing that is wrong."""

    path: str
    """Where: ``stages.first.iterations``."""
    message: str
    unknown_key: bool


def found_in(error: ValidationError, place: str = "") -> list[Problem]:
    """What the validation of a section found, below ``place``."""
    found = []
    for problem in error.errors():
        parts = [place, *(str(x) for x in problem["loc"])]
        unknown = problem["type"] == "extra_forbidden"
        if unknown:
            message = "unknown key; `segadapt show RECIPE` prints the known ones with their values"
        elif problem["type"] == AT_KEY:
            parts.append(problem["ctx"]["key"])
            message = problem["msg"]
            unknown = message.startswith("unknown key")
        elif problem["type"] == "missing":
            message = "is required but not there"
        elif problem["type"] == "value_error":
            message = problem["msg"].removeprefix("Value error, ")
        else:
            message = f"{problem['msg']} (it is {problem.get('input')!r})"
        found.append(Problem(".".join(filter(None, parts)), message, unknown))
    return found


def worded(problems: Sequence[Problem]) -> str:
    """The first problem, and how many more there are."""
    # A misspelt key also makes the right one missing; it is what the reader has to see.
    first = min(problems, key=lambda problem: not problem.unknown_key)
    more = len(problems) - 1
    return f"{first.path}: {first.message}" + (
        f" (and {more} more problem{'s' * (more > 1)})" if more else ""
    )
