"""Random crops of training images, drawn again where they show too little, or one thing alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segadapt.data.order import Draw
from segadapt.losses.segmentation import IGNORE


@dataclass(frozen=True)
class Crops:
    """How images are cropped, each on its own."""

    size: tuple[int, int]
    """(height, width)."""
    largest_share: float = 1.0
    """Of the labelled pixels that one class may fill."""
    least_wanted: int = 0
    """Pixels of the class that was drawn first, which a crop must have more than."""
    tries: int = 1
    """The last one is taken whatever it shows."""

    def places(self, draw: Draw) -> Iterator[tuple[float, float]]:
        """Where the crops to be tried lie, as shares of what is left down and across."""
        yield draw.place
        generator = np.random.default_rng(draw.again)
        for _ in range(self.tries - 1):
            down, across = generator.random(2).tolist()
            yield down, across

    def fits(self, label: NDArray[np.uint8], wanted: int | None) -> bool:
        """Whether a crop's labels show enough."""
        counts = np.bincount(label.ravel(), minlength=IGNORE + 1)
        if wanted is not None and counts[wanted] <= self.least_wanted:
            return False
        labelled = counts[:IGNORE].sum()
        return bool(
            self.largest_share >= 1 or counts[:IGNORE].max() < self.largest_share * labelled
        )
