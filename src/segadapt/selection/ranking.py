"""How well one score orders what another measures."""

from __future__ import annotations

import math
from collections.abc import Sequence


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation in [-1, 1]; equal values share their mean rank.

    NaN where a sequence is constant or has fewer than two values.
    """
    a, b = _ranks(first), _ranks(second)
    mean = (len(a) + 1) / 2
    covariance = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    spread = math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    return covariance / spread if spread else math.nan


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(values)
    # First and last place of each value, from 1: their mean is its rank.
    first = {value: place + 1 for place, value in reversed(list(enumerate(order)))}
    last = {value: place + 1 for place, value in enumerate(order)}
    return [(first[value] + last[value]) / 2 for value in values]
