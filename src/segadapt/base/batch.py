"""What a training step receives: a target batch has no label field for a method to look at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class LabelledBatch(NamedTuple):
    """Images (N, 3, H, W), normalised floats, and labels (N, H, W), ids with 255 to be ignored."""

    image: Tensor
    label: Tensor
    domain_index: Tensor | None = None
    """(N, H, W) floats in [0, 1], how hard each pixel is; from a ``pixel_split`` stage only."""
    label_on_host: NDArray[np.uint8] | None = None
    """``label`` where it was decoded: to read it there is to wait for no device."""


class UnlabelledBatch(NamedTuple):
    """Images (N, 3, H, W), normalised floats."""

    image: Tensor
    inside: Tensor | None = None
    """(N, H, W) bool, false in margins where no pseudo-label is trusted; None without margins."""
