"""Chance that is a function of seed and iteration, so that a resumed training sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

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
        return np.random.default_rng((self.seed, self.iteration, stream))

    def of_image(self, stream: int, row: int) -> np.random.Generator:
        """One for the image at ``row`` of this process's part of the batch."""
        return np.random.default_rng((self.seed, self.iteration, stream, self.first + row))


class Steps(nn.Module):
    """How many steps a method has begun; saved with its state."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def next(self) -> int:
        """The number of this step, from 0."""
        self.count += 1
        return self.count - 1

    def get_extra_state(self) -> dict[str, Any]:
        """For the saved state."""
        return {"count": self.count}

    def set_extra_state(self, state: Any) -> None:
        """Go on from there."""
        self.count = int(state["count"])
