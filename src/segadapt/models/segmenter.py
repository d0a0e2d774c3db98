"""A segmenter: a trunk and a head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.models.boxes import BoxOutput
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.trunks.base import Trunk

SMALLEST = 32
"""Pixels of a side; shorter ones are padded."""


class NamedParameter(NamedTuple):
    """A trainable parameter, and how an optimizer is to treat it."""

    name: str
    """Within its trunk or head."""
    parameter: nn.Parameter
    decays: bool
    """Whether weight decay is for it."""


class Segmenter(nn.Module):
    """Images in, class scores of one or two levels out; its parts are ``trunk`` and ``head``."""

    def __init__(self, trunk: Trunk, head: Head) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        trunk.initialise()
        head.initialise()

    @property
    def level_names(self) -> tuple[str, ...]:
        """``main``, and ``aux`` where there is a second level."""
        return self.head.level_names

    def features(self, image: Tensor) -> list[Tensor]:
        """The trunk's maps (N, channels, h, w) of (N, 3, H, W) normalised images.

        Sides that the trunk cannot take, or too short for it, are padded with zeros, on the right
        and below; the maps are those of the padded image.
        """
        down, right = self._padding(image)
        padded = F.pad(image, (0, right, 0, down)) if self._is_padded(image) else image
        return self.trunk(padded)  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> LevelLogits:
        """(N, 3, H, W) normalised images -> :class:`LevelLogits`.

        Scores have the head's resolution, or the image's own where it had to be padded: what was
        added is then cut off.
        """
        return self.scores(self.features(image), image)

    def main_scores(self, image: Tensor) -> Tensor:
        """The ``main`` of what :meth:`forward` gives, for predictions: no more is worked out."""
        return self._main_of(self.head, self.features(image), image)

    def with_attention(self, image: Tensor) -> tuple[LevelLogits, list[Tensor]]:
        """The same, and the maps (N, 1, h, w) in [0, 1] that a classifier looks through; most heads
        have none."""
        features = self.features(image)
        maps = self.head.attention_maps(features)
        if self._is_padded(image):
            maps = [self._cut(map_, image) for map_ in maps]
        return self.scores(features, image), maps

    def scores(self, features: list[Tensor], image: Tensor) -> LevelLogits:
        """What :meth:`forward` gives, from the :meth:`features` of the image."""
        output: LevelLogits = self.head(features)
        if not self._is_padded(image):
            return output
        if output.boxes is not None:
            return self._boxes_of_image(output, output.boxes, image)
        return LevelLogits(
            self._cut(output.main, image),
            None if output.aux is None else self._cut(output.aux, image),
            None
            if output.summands is None
            else (self._cut(output.summands[0], image), self._cut(output.summands[1], image)),
        )

    def _main_of(self, head: Head, features: list[Tensor], image: Tensor) -> Tensor:
        """Main scores of a head, from the :meth:`features` of the image."""
        main = head.main_scores(features)
        return self._cut(main, image) if self._is_padded(image) else main

    def _boxes_of_image(self, output: LevelLogits, boxes: BoxOutput, image: Tensor) -> LevelLogits:
        """Anchors are shares of the padded image; nothing is found where it was padded."""
        height, width = image.shape[-2:]
        down, right = self._padding(image)
        across, along = (width + right) / width, (height + down) / height
        factors = boxes.anchors.new_tensor((across, along, across, along))
        return output._replace(boxes=boxes._replace(anchors=boxes.anchors * factors))

    def last_features(self, image: Tensor) -> Tensor:
        """The last map (N, channels, h, w), of the image alone where it had to be padded."""
        return self._without_padding(self.features(image)[-1], image)

    def _without_padding(self, last: Tensor, image: Tensor) -> Tensor:
        shares = (
            side / (side + added)
            for side, added in zip(image.shape[-2:], self._padding(image), strict=True)
        )
        height, width = (
            max(1, round(share * length))
            for share, length in zip(shares, last.shape[-2:], strict=True)
        )
        return last[..., :height, :width]

    def padded_label(self, label: Tensor) -> Tensor:
        """Labels (N, H, W) as large as the padded image that :meth:`features` sees, with 255."""
        height, width = label.shape[-2:]
        multiple = self.trunk.multiple
        return F.pad(label, (0, -width % multiple, 0, -height % multiple), value=255)

    def token_grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Patches (down, across) of an image of (height, width) ``size``, where the trunk can hide
        some."""
        assert self.trunk.token_side is not None
        down, across = ((side + self._missing(side)) // self.trunk.token_side for side in size)
        return down, across

    def _padding(self, image: Tensor) -> tuple[int, int]:
        """Pixels that are missing below and on the right."""
        down, right = (self._missing(side) for side in image.shape[-2:])
        return down, right

    def _missing(self, side: int) -> int:
        """Nothing is left of a small side after the trunks' strides."""
        multiple = self.trunk.multiple
        # Rounded up as a product: a tracer can divide that by strides without a remainder.
        wanted = (side + multiple - 1) // multiple * multiple
        if self.trunk.side is None and multiple < SMALLEST:
            wanted = max(wanted, (SMALLEST + multiple - 1) // multiple * multiple)
        return wanted - side

    def _is_padded(self, image: Tensor) -> bool:
        if torch.compiler.is_exporting() and self.trunk.multiple > 1:
            return True  # a traced file is for all sizes, and padding by nothing changes nothing
        return self._padding(image) != (0, 0)

    def _cut(self, map_: Tensor, image: Tensor) -> Tensor:
        """A map of the padded image brought to pixels, without what was added."""
        height, width = image.shape[-2:]
        down, right = self._padding(image)
        exact = map_.to(torch.promote_types(map_.dtype, torch.float32))
        whole = F.interpolate(
            exact, (height + down, width + right), mode="bilinear", align_corners=True
        )
        return whole[..., :height, :width]

    def trunk_parameters(self) -> Iterator[NamedParameter]:
        """Trainable parameters of the trunk."""
        return parameters_of(self.trunk)

    def head_parameters(self) -> Iterator[NamedParameter]:
        """Trainable parameters of the head."""
        return parameters_of(self.head)


def parameters_of(part: Trunk | Head) -> Iterator[NamedParameter]:
    """Trainable parameters of a trunk or a head."""
    for name, parameter in part.named_parameters():
        if parameter.requires_grad:
            yield NamedParameter(name, parameter, part.decays(name, parameter))
