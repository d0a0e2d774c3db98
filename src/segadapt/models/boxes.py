"""What a detector says of an image: scores and offsets of anchor boxes on several grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

SURELY_NOTHING = 1e4
"""Score of the background where there is no anchor: its probability is exactly 1."""


class Grid(NamedTuple):
    """The places of one map, each with as many anchors."""

    height: int
    width: int
    anchors: int


class BoxOutput(NamedTuple):
    """Anchors are ordered by grid, row, column and shape, as in torchvision's SSD."""

    scores: Tensor
    """(N, A, 1 + C), raw: the background first, then the classes."""
    offsets: Tensor
    """(N, A, 4), of the boxes from the anchors, as SSD codes them."""
    anchors: Tensor
    """(A, 4) left, top, right, bottom as shares of width and height."""
    grids: tuple[Grid, ...]


def as_map(scores: Tensor) -> Tensor:
    """Values of anchors (N, A, C) as a map with a place for each, (N, C, A, 1), without padding."""
    return scores.transpose(1, 2)[..., None]


def at_places(values: Tensor, grids: Sequence[Grid], size: tuple[int, int]) -> Tensor:
    """The largest value of all anchors at each place of an image, of all grids: (N, H, W).

    Args:
        values: (N, A), of anchors.
        grids: as :class:`BoxOutput` has them.
        size: (H, W).
    """
    sizes = [grid.height * grid.width * grid.anchors for grid in grids]
    found = []
    for part, grid in zip(values.split(sizes, dim=1), grids, strict=True):
        largest = part.unflatten(1, tuple(grid)).amax(dim=3)
        found.append(F.interpolate(largest[:, None], size, mode="nearest")[:, 0])
    return torch.stack(found).amax(dim=0)


def stacked(output: BoxOutput) -> Tensor:
    """Scores as maps of one size: (N, 1 + C, K, H, W), K the anchors of a place of all grids.

    ADVENT, Appendix A: maps of lower resolutions are padded to the size of the largest, on the
    right and below, and stacked. What is added are scores of a background that is certain: its
    probability is 1, so self-information and entropy are exactly 0 there, without a gradient. That
    is the zero-padding of the paper, done before the maps are made of the scores instead of after.
    """
    height = max(grid.height for grid in output.grids)
    width = max(grid.width for grid in output.grids)
    sizes = [grid.height * grid.width * grid.anchors for grid in output.grids]
    maps = []
    for part, grid in zip(output.scores.split(sizes, dim=1), output.grids, strict=True):
        number, _, classes = part.shape
        map_ = part.reshape(number, grid.height, grid.width, grid.anchors, classes)
        map_ = map_.permute(0, 4, 3, 1, 2)
        sides = (0, width - grid.width, 0, height - grid.height)
        background = F.pad(map_[:, :1], sides, value=SURELY_NOTHING)
        maps.append(torch.cat([background, F.pad(map_[:, 1:], sides)], dim=1))
    return torch.cat(maps, dim=2)
