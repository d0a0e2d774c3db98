"""The base of every configuration section: frozen, and strict about unknown keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from segadapt.base.errors import shortened

AT_KEY = "at_key"
"""Type of errors that name the key of their section that is wrong."""


LARGEST = 1e9
"""No setting means a number beyond it: iterations fill years, weights drown everything else."""


class Section(BaseModel):
    """A part of a recipe. Unknown keys are refused, values cannot change after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _holds_numbers_that_can_be_meant(self) -> Self:
        for key in type(self).model_fields:
            value = getattr(self, key)
            for number in value if isinstance(value, tuple | list) else (value,):
                if isinstance(number, int | float) and abs(number) > LARGEST:
                    raise problem_at(key, f"{number:.4g} is too large; at most {LARGEST:.0e}")
        return self


def problem_at(key: str, message: str) -> PydanticCustomError:
    """An error for a validator of a whole section to raise: ``key`` of it is wrong."""
    return PydanticCustomError(AT_KEY, "{message}", {"key": key, "message": message})


def filled(section: type[Section], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Settings with their defaults, also within sections that are given in part.

    Args:
        section: whose settings they are.
        given: what a recipe says.
        owner: what messages call the part that has them: ``method advent``.

    Raises:
        PydanticCustomError: an unknown key or a wrong value, with its place.
    """
    for key in given:
        if key not in section.model_fields:
            known = ", ".join(section.model_fields) or "no settings"
            raise problem_at(str(key), f"unknown key; {owner} has {known}")
    try:
        return section(**_completed(section, given)).model_dump(mode="json")
    except ValidationError as error:
        problem = min(found_in(error), key=lambda found: not found.unknown_key)
        raise problem_at(problem.path, problem.message) from error


class Problem(NamedTuple):
    """One thing that is wrong with a section."""

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
            message = f"{problem['msg']} (it is {shortened(problem.get('input'))})"
        found.append(Problem(".".join(filter(None, parts)), message, unknown))
    return found


def _completed(section: type[Section], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with the defaults of sections within it that were given in part."""
    completed = dict(given)
    for key, value in given.items():
        field = section.model_fields.get(key)
        inner = _section_in(field.annotation) if field is not None else None
        if field is None or inner is None or not isinstance(value, Mapping):
            continue
        default = field.get_default(call_default_factory=True)
        below = default if isinstance(default, inner) else inner.model_construct()
        completed[key] = {**below.model_dump(), **_completed(inner, value)}
    return completed


def _section_in(annotation: Any) -> type[Section] | None:
    """The section that a value is, or may be."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Section) else None
    found = [x for x in map(_section_in, get_args(annotation)) if x is not None]
    return found[0] if len(found) == 1 else None
