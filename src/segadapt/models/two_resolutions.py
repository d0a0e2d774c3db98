"""HRDA: all of an image in small, and a window of it as it is (Hoyer et al., ECCV 2022)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from segadapt.base.windows import Window, covering
from segadapt.config.model import Detail
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.segmenter import NamedParameter, Segmenter, parameters_of
from segadapt.models.trunks.base import Trunk

CORNER = 8
"""Pixels that a window's corner is a multiple of, so that it lies on the network's grid."""


class TwoResolutions(Segmenter):
    """Context from the image in small, detail from windows, joined by an attention to scale.

    One trunk and one head look at both. In training, detail is seen in one window for the batch,
    drawn at random (from torch's generator), and its scores are the second level; otherwise in
    windows that cover the image, each overlapping the next.
    """

    def __init__(self, trunk: Trunk, head: Head, attention: Head, detail: Detail) -> None:
        super().__init__(trunk, head)
        self.attention = attention
        attention.initialise()
        self.detail = detail

    @property
    def level_names(self) -> tuple[str, ...]:
        """``main``, and ``aux``: the window's."""
        return ("main", "aux")

    def features(self, image: Tensor) -> list[Tensor]:
        """The trunk's maps of the image in small; see :meth:`Segmenter.features`."""
        return super().features(self._small(image))

    def last_features(self, image: Tensor) -> Tensor:
        """The last map of the image in small; see :meth:`Segmenter.last_features`."""
        return self._without_padding(self.features(image)[-1], self._small(image))

    def main_scores(self, image: Tensor) -> Tensor:
        """See :meth:`Segmenter.main_scores`."""
        return self(image).main  # type: ignore[no-any-return]

    def scores(self, features: list[Tensor], image: Tensor) -> LevelLogits:
        """Scores of the image, from the features of its context.

        z = up((1 - a) z_context) + up(a) z_detail, with the attention a in (0, 1), of each class of
        its own, which is 0 where there is no detail.
        """
        small = self._small(image)
        context = self._main_of(self.head, features, small)
        attention = self._main_of(self.attention, features, small).sigmoid()
        scale = image.shape[-1] / small.shape[-1]
        grid = tuple(round(side * scale) for side in context.shape[-2:])
        if self.training:
            window = self._random_window(image)
            down, across = _on_grid(window, image, grid)
            seen = self._detail(window.of(image))
            detail = context.new_zeros(*context.shape[:2], *grid)
            part = detail[..., down, across]
            part += _resized(seen, part.shape[-2:])
            there = context.new_zeros(*context.shape[-2:])
            there[_on_grid(window, image, there.shape)] = 1
            attention = attention * there
        else:
            seen, window = None, None
            detail = self._covering(image, grid)
        fused = _resized((1 - attention) * context, grid) + _resized(attention, grid) * detail
        return LevelLogits(fused, seen, aux_window=window)

    def padded_label(self, label: Tensor) -> Tensor:
        """Labels as large as the padded context: nearest pixels of the whole."""
        small = self._sides(label.shape[-2:])
        resized = F.interpolate(label[:, None].float(), small, mode="nearest-exact")[:, 0]
        return super().padded_label(resized.to(label.dtype))

    def head_parameters(self) -> Iterator[NamedParameter]:
        """Those of head and attention."""
        yield from super().head_parameters()
        yield from parameters_of(self.attention)

    def _sides(self, size: tuple[int, ...]) -> tuple[int, int]:
        height, width = (max(1, round(side * self.detail.context)) for side in size)
        return height, width

    def _small(self, image: Tensor) -> Tensor:
        return F.interpolate(
            image, self._sides(image.shape[-2:]), mode="bilinear", align_corners=False
        )

    def _random_window(self, image: Tensor) -> Window:
        height, width = (
            min(a, b) for a, b in zip(self.detail.window, image.shape[-2:], strict=True)
        )
        top, left = (
            CORNER * int(torch.randint((whole - part) // CORNER + 1, ()))
            for whole, part in zip(image.shape[-2:], (height, width), strict=True)
        )
        return Window(top, left, height, width)

    def _detail(self, part: Tensor) -> Tensor:
        """Scores of parts of images as they are."""
        return self._main_of(self.head, super().features(part), part)

    def _covering(self, image: Tensor, grid: tuple[int, ...]) -> Tensor:
        """Scores of overlapping windows, averaged, on the grid."""
        windows = covering(image.shape[-2:], self.detail.window, self.detail.overlap)
        # A batch norm that learns must see all windows at once; otherwise memory is dearer.
        norms = [m for m in self.modules() if isinstance(m, _BatchNorm)]
        at_once = len(windows) if any(norm.training for norm in norms) else 1
        total: Tensor | None = None
        count = image.new_zeros(grid)
        for first in range(0, len(windows), at_once):
            group = windows[first : first + at_once]
            scores = self._detail(torch.cat([window.of(image) for window in group]))
            for window, seen in zip(group, scores.split(len(image)), strict=True):
                if total is None:
                    total = seen.new_zeros(*seen.shape[:2], *grid)
                down, across = _on_grid(window, image, grid)
                part = total[..., down, across]
                part += _resized(seen, part.shape[-2:])
                count[down, across] += 1
        assert total is not None
        return total / count


def _on_grid(
    window: Window, image: Tensor, grid: tuple[int, ...] | torch.Size
) -> tuple[slice, slice]:
    """Where a window of the image lies on a grid that covers the image."""
    down, across = (cells / side for cells, side in zip(grid, image.shape[-2:], strict=True))
    return (
        slice(round(window.top * down), round((window.top + window.height) * down)),
        slice(round(window.left * across), round((window.left + window.width) * across)),
    )


def _resized(maps: Tensor, size: tuple[int, ...] | torch.Size) -> Tensor:
    if maps.shape[-2:] == tuple(size):
        return maps
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)
