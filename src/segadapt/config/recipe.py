"""A whole recipe."""

from __future__ import annotations

from pydantic import Field, SerializeAsAny

from segadapt.base.section import Section
from segadapt.config.data import DomainConfig
from segadapt.config.stage import Stage


class Recipe(Section):
    """An ordered list of stages over named domains."""

    name: str
    description: str = ""
    domains: dict[str, DomainConfig]
    stages: dict[str, SerializeAsAny[Stage]] = Field(min_length=1)
