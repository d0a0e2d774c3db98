"""What a method can show of its work."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor


class Example(NamedTuple):
    """Maps of the images of a batch, one to be drawn for each."""

    title: str
    kind: Literal["image", "label", "weight"]
    maps: Tensor
    """``image``: (N, 3, H, W), normalised. ``label``: (N, H, W) class ids. ``weight``: (N, H, W) in
    [0, 1]."""
