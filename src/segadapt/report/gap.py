"""How much of the way from the first checkpoint to the oracle another one covers."""

from __future__ import annotations

from collections.abc import Iterable

from segadapt.report.records import Score

LEAST = 0.01
"""The smallest gap, one point, of which a share says something."""


def best_oracle(scores: Iterable[Score]) -> float | None:
    """The highest score that target labels took part in; None where there is none."""
    return max((score.value or 0.0 for score in scores if score.is_oracle), default=None)


def share_closed(value: float | None, first: float | None, oracle: float | None) -> float | None:
    """(value - first) / (oracle - first); below zero where something was lost.

    None where a score is missing, or the gap is below a point.
    """
    if value is None or first is None or oracle is None or oracle - first < LEAST:
        return None
    return (value - first) / (oracle - first)
