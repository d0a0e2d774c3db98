"""Mean and standard deviation of a quantity over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from segadapt.report import wording


@dataclass(frozen=True)
class Spread:
    """Values of one quantity, by seed."""

    mean: float
    deviation: float | None
    """Sample standard deviation; None for one value."""
    values: list[float]


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.mean(values), deviation, list(values))


def points(value: Spread | None, signed: bool = False) -> str:
    """A spread in points, as in 42.3 ± 0.6."""
    if value is None:
        return "–"
    mean = wording.gain(100 * value.mean) if signed else f"{100 * value.mean:.1f}"
    return mean if value.deviation is None else f"{mean} ± {100 * value.deviation:.1f}"


def percents(value: Spread | None) -> str:
    """A share in whole percent, as in 42 ± 6; empty where there is none."""
    if value is None:
        return ""
    mean = f"{100 * value.mean:.0f}".replace("-", "−")
    return mean if value.deviation is None else f"{mean} ± {100 * value.deviation:.0f}"


def is_clear(value: Spread) -> bool:
    """Whether a gain is larger than its spread over the seeds."""
    return value.deviation is not None and abs(value.mean) > value.deviation
