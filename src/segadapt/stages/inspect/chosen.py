"""Which images an inspection shows, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

Why = Literal["changed", "unsure", "sure"]


class Chosen(NamedTuple):
    """An image by its number in the domain, and what it is shown for."""

    number: int
    why: Why


def evenly(count: int, most: int) -> list[int]:
    """Numbers of at most ``most`` of ``count`` images, from the first to the last."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(most, count))})


def choose(agreement: Sequence[float], entropy: Sequence[float], number: int) -> list[Chosen]:
    """Choose images to be shown, each once.

    Args:
        agreement: of the first and the last checkpoint, by image.
        entropy: of the last checkpoint, by image.
        number: images in which the two differ most; half as many are the least sure and the surest.

    Returns:
        Those that differ most first, then the least sure, then the surest. None is called changed
        in which the two say the same.
    """
    images = range(len(entropy))
    taken: set[int] = set()
    found: list[Chosen] = []
    half = (number + 1) // 2
    changed = [i for i in images if agreement[i] < 1.0]
    orders: list[tuple[Why, list[int], int]] = [
        ("changed", sorted(changed, key=lambda i: agreement[i]), number),
        ("unsure", sorted(images, key=lambda i: -entropy[i]), half),
        ("sure", sorted(images, key=lambda i: entropy[i]), half),
    ]
    for why, order, most in orders:
        fresh = [i for i in order if i not in taken][:most]
        taken.update(fresh)
        found += [Chosen(i, why) for i in fresh]
    return found
