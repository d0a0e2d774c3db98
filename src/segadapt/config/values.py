"""Kinds of values that sections share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"{list(value)} must be the smallest factor, then the largest")
    return value


Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Scale = Annotated[float, Field(gt=0, le=8)]
ScaleRange = Annotated[tuple[Scale, Scale], AfterValidator(_in_order)]
"""Smallest and largest factor."""
Size = tuple[Positive, Positive]
"""(height, width) in pixels."""
Weight = Annotated[float, Field(ge=0)]
"""Of a loss."""
Dilations = Annotated[
    tuple[Annotated[int, Field(gt=0, le=1024)], ...], Field(min_length=1, max_length=16)
]
"""Of parallel convolutions."""
Width = Annotated[int, Field(gt=0, le=4096)]
"""Channels of a layer: a network of more fills any memory while it is built."""
BatchSize = Annotated[int, Field(gt=0, le=65536)]
WORKERS = "Processes per domain that decode and resize; 0 does it between the steps."
Workers = Annotated[int, Field(ge=0, le=256, description=WORKERS)]
Gan = Literal["vanilla", "least_squares"]
"""Losses of discriminators of maps."""
InputFormat = Literal["bgr_mean", "rgb", "rgb_mean", "rgb_mean_std", "rgb_signed"]
Weights = Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=2)]
"""Weights above zero by checkpoint."""


def with_rule(value: Any, rule: str) -> Any:
    """Settings that name no rule are those of ``rule``; anything else is as it was."""
    return {"rule": rule, **value} if isinstance(value, dict) and "rule" not in value else value


LONGEST_NAME = 120
"""Bytes of a name; file systems take 255, and what is written beside it has endings."""


def misfit_of_name(name: str) -> str | None:
    """Why a name of a stage, or a title of an ensemble, cannot be part of a file's name."""
    if name.strip() and name.isprintable() and len(name.encode()) <= LONGEST_NAME:
        return None
    return (
        f"{name[:40]!r} cannot be part of a file's name; take up to {LONGEST_NAME} bytes of "
        "letters, digits and signs that can be seen"
    )
