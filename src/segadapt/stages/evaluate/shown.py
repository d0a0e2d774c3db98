"""Which images of a domain are shown."""

from __future__ import annotations

import numpy as np


def evenly_spaced(count: int, number: int) -> list[int]:
    """Numbers of at most ``number`` of ``count`` images, evenly spaced."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(number, count) + 2)[1:-1]})
