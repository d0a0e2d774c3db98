"""The taps of dilated convolutions, each moved to its place, and added."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class MovedTaps(torch.autograd.Function):
    """The sum over taps k of map k, moved: out[y, x] = sum of maps_k[y + down_k, x + right_k].

    What lies outside of a map is zero. Moving is adding to a part of the sum; as padding it would
    write every map twice more, and in the backward pass again.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, moves: tuple[tuple[int, int], ...]) -> Tensor:
        """(N, taps * C, H, W), and (down, right) of each tap -> (N, C, H, W)."""
        ctx.moves = moves
        number, channels, height, width = maps.shape
        total = maps.new_zeros(number, channels // len(moves), height, width)
        for move, tap in zip(moves, maps.chunk(len(moves), dim=1), strict=True):
            to, of = _parts(move, height, width)
            total[to] += tap[of]
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """Each tap's part of the gradient, moved back."""
        number, channels, height, width = gradient.shape
        found = gradient.new_zeros(number, channels * len(ctx.moves), height, width)
        for move, tap in zip(ctx.moves, found.chunk(len(ctx.moves), dim=1), strict=True):
            to, of = _parts(move, height, width)
            tap[of] = gradient[to]
        return found, None


def _parts(move: tuple[int, int], height: int, width: int) -> tuple[Any, Any]:
    """Where a moved map comes to lie in the sum, and which part of it does."""
    down, right = move
    return (
        (..., _inside(-down, height), _inside(-right, width)),
        (..., _inside(down, height), _inside(right, width)),
    )


def _inside(shift: int, side: int) -> slice:
    return slice(max(0, shift), max(0, min(side, side + shift)))
