"""Pictures to compare an exported file on."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segadapt.engine.exported.graph import Input

PATCH = 24
"""Pixels of what is alike, about."""


def pictures(shape: tuple[int, int, int], input_: Input) -> Tensor:
    """Smooth patches of colour with noise, the same for a shape, in the form that goes in.

    Args:
        shape: batch, height, width.
        input_: see :class:`Graph`.
    """
    number, height, width = shape
    generator = torch.Generator().manual_seed(height * width + number)
    small = (number, 3, height // PATCH + 2, width // PATCH + 2)
    patches = F.interpolate(torch.rand(small, generator=generator), (height, width), mode="bicubic")
    noise = 0.1 * torch.rand((number, 3, height, width), generator=generator)
    pixels = (255 * (patches + noise)).round().clamp(0, 255)
    if input_ == "uint8":
        return pixels.permute(0, 2, 3, 1).to(torch.uint8).contiguous()
    return pixels / 255
