"""What a training step receives. A target batch has no label field, so no method can look at one."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class LabelledBatch(NamedTuple):
    """Images (N, 3, H, W), normalised floats, and labels (N, H, W), ids with 255 to be ignored."""

    image: Tensor
    label: Tensor


class UnlabelledBatch(NamedTuple):
    """Images (N, 3, H, W), normalised floats."""

    image: Tensor
