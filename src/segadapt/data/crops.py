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
    """Of these none may show enough: then the last one that is varied, or the last of all."""

    def places(self, draw: Draw) -> Iterator[tuple[float, float]]:
        """Where the crops to be tried lie, as shares of what is left down and across."""
        yield draw.place
        generator = np.random.default_rng(draw.again)
        for _ in range(self.tries - 1):
            down, across = generator.random(2).tolist()
            yield down, across

    def is_varied(self, label: NDArray[np.uint8]) -> bool:
        """Whether no class fills too much of a crop's labels."""
        if self.largest_share >= 1:
            return True
        counts = np.bincount(label.ravel(), minlength=IGNORE + 1)[:IGNORE]
        return bool(counts.max() < self.largest_share * counts.sum())

    def shows(self, label: NDArray[np.uint8], wanted: int | None) -> bool:
        """Whether a crop's labels hold enough of the class that was drawn first."""
        return wanted is None or int((label == wanted).sum()) > self.least_wanted
