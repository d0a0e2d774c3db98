"""What a detector finds in an image."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Detections(NamedTuple):
    """Boxes of one image, the surest first."""

    boxes: Tensor
    """(K, 4) left, top, right, bottom in pixels."""
    scores: Tensor
    """(K,) in [0, 1]."""
    labels: Tensor
    """(K,) class ids, int64."""
