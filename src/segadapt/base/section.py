"""The base of every configuration section: frozen, and strict about unknown keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

AT_KEY = "at_key"
"""Type of errors that name the key of their section that is wrong."""


class Section(BaseModel):
    """A part of a recipe. Unknown keys are refused, values cannot change after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
        problem = error.errors()[0]
        place = ".".join(str(x) for x in problem["loc"])
        if problem["type"] == AT_KEY:
            place = ".".join(filter(None, (place, problem["ctx"]["key"])))
        raise problem_at(place, problem["msg"].removeprefix("Value error, ")) from error


def _completed(section: type[Section], given: Mapping[str, Any]) -> dict[str, Any]:
    completed = dict(given)
    for key, value in given.items():
        field = section.model_fields.get(key)
        default = field.get_default(call_default_factory=True) if field is not None else None
        if isinstance(default, Section) and isinstance(value, Mapping):
            completed[key] = {**default.model_dump(), **_completed(type(default), value)}
    return completed
