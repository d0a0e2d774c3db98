"""Resizing as a matrix product, which every runtime has: that of Pillow's bicubic filter."""

from __future__ import annotations

import torch
from torch import Tensor

SHARPNESS = -0.5
"""Pillow's coefficient of the cubic."""
REACH = 2.0
"""Pixels of the smaller of both images that a weight reaches to either side."""


def resized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (N, 3, H, W) in 0..255 at (height, width) ``size``, smoothed where they shrink.

    Equal to Pillow's ``Image.resize(..., BICUBIC)`` but for its rounding to whole numbers, once a
    direction. Exporters know the operator that torch has for it (``antialias``) in some runtimes
    only; this is arithmetic that all have.
    """
    down = weights(planes.shape[-2], size[0], planes)
    across = weights(planes.shape[-1], size[1], planes)
    # The cubic overshoots, and Pillow cuts that off after each direction.
    return (down @ (planes @ across.T).clamp(0, 255)).clamp(0, 255)


def weights(length: int, wanted: int, like: Tensor) -> Tensor:
    """(wanted, length): how much each of ``length`` pixels counts in each of ``wanted`` ones."""
    scale = torch.scalar_tensor(length, dtype=torch.float32, device=like.device) / wanted
    middle = (torch.arange(wanted, dtype=torch.float32, device=like.device) + 0.5) * scale
    place = torch.arange(length, dtype=torch.float32, device=like.device) + 0.5
    distance = ((place[None] - middle[:, None]) / scale.clamp(min=1)).abs()
    a = SHARPNESS
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    value = torch.where(distance < 1, near, torch.where(distance < REACH, far, 0.0))
    return value / value.sum(dim=1, keepdim=True)
