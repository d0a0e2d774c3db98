"""Chance that is a function of seed and iteration, so that a resumed training sees the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MIX, COLOUR, BLUR, MASK = range(101, 105)
"""Streams: what is drawn. They set these numbers apart from those of the order of images."""


@dataclass(frozen=True)
class Chance:
    """What one iteration draws, of the batch or of one of its images.

    Drawn on the CPU whatever the device, so that a CPU and a GPU draw the same.
    """

    seed: int
    iteration: int
    first: int = 0
    """Number of this process's first image in the batch of all processes."""

    def of_batch(self, stream: int) -> np.random.Generator:
        """One for all images, the same in every process."""
        return np.random.default_rng((self.seed, self.iteration, stream, 0))

    def of_image(self, stream: int, row: int) -> np.random.Generator:
        """One for the image at ``row`` of this process's part of the batch."""
        # From 1 on: to numpy a seed is the same with zeros at its end, or without them.
        return np.random.default_rng((self.seed, self.iteration, stream, 1 + self.first + row))
