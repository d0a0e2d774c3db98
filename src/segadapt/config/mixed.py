"""One name, or several that are taken together."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator


def _names(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        twice = next((name for name in value if value.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is named twice; leave one out")
        return value
    raise ValueError("must be a name, or a list of names")


def _mixed(value: Any) -> Any:
    if not isinstance(value, dict):
        try:
            return _names(value)
        except ValueError as error:
            raise ValueError(f"{error}, or names with weights, as {{one: 2, other: 1}}") from error
    for name, weight in value.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not isinstance(name, str) or not number or not 0 < weight < float("inf"):
            raise ValueError(f"the weight of {name!r} must be a number above 0, not {weight!r}")
    if not value:
        raise ValueError("must name one at least")
    return {name: float(weight) for name, weight in value.items()}


Names = Annotated[str | list[str], PlainValidator(_names, json_schema_input_type=str | list[str])]
"""One name, or several."""
Mixed = Annotated[
    str | list[str] | dict[str, float],
    PlainValidator(_mixed, json_schema_input_type=str | list[str] | dict[str, float]),
]
"""One name, several that count alike, or several with their weights."""


def weights_of(value: str | list[str] | dict[str, float]) -> dict[str, float]:
    """The names with their weights, 1 where none are given."""
    if isinstance(value, str):
        return {value: 1.0}
    if isinstance(value, list):
        return dict.fromkeys(value, 1.0)
    return dict(value)
