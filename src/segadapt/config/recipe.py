"""A whole recipe."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializeAsAny, field_validator

from segadapt.base.section import Section
from segadapt.config.data import DomainConfig
from segadapt.config.stage import STAGES, Stage


class Recipe(Section):
    """An ordered list of stages over named domains."""

    name: str
    """Given by the file: what the run's folder is called after."""
    description: str = ""
    """A line for lists and for the report."""
    domains: dict[str, DomainConfig]
    """By name, which stages refer to."""
    stages: dict[str, SerializeAsAny[Stage]] = Field(min_length=1)
    """By name, in the order in which they run."""

    @field_validator("stages", mode="before")
    @classmethod
    def _of_their_kinds(cls, value: Any) -> Any:
        # From plain values, as of a dump; `load.validate` says better what is wrong with them.
        if not isinstance(value, dict):
            return value
        return {key: _stage_of(stage) for key, stage in value.items()}


def _stage_of(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("stage"), str):
        return STAGES.find(value["stage"]).model_validate(value)
    return value
