"""A segmenter: a trunk and a head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.trunks.base import Trunk


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

    def features(self, image: Tensor) -> list[Tensor]:
        """The trunk's maps (N, channels, h, w) of (N, 3, H, W) normalised images.

        Sides that the trunk cannot take are padded with zeros, on the right and below; the maps
        are those of the padded image.
        """
        return self.trunk(self._padded(image))  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> LevelLogits:
        """(N, 3, H, W) normalised images -> :class:`LevelLogits`.

        Scores have the head's resolution, or the image's own where it had to be padded: what was
        added is then cut off.
        """
        padded = self._padded(image)
        output: LevelLogits = self.head(self.trunk(padded))
        if padded.shape == image.shape:
            return output
        whole, size = padded.shape[-2:], image.shape[-2:]

        def cut(logit: Tensor) -> Tensor:
            exact = logit.to(torch.promote_types(logit.dtype, torch.float32))
            large = F.interpolate(exact, whole, mode="bilinear", align_corners=True)
            return large[..., : size[0], : size[1]]

        return LevelLogits(
            cut(output.main),
            None if output.aux is None else cut(output.aux),
            None if output.summands is None else (cut(output.summands[0]), cut(output.summands[1])),
        )

    def _padded(self, image: Tensor) -> Tensor:
        multiple = self.trunk.multiple
        down, right = -image.shape[-2] % multiple, -image.shape[-1] % multiple
        return F.pad(image, (0, right, 0, down)) if down or right else image

    def trunk_parameters(self) -> Iterator[NamedParameter]:
        """Trainable parameters of the trunk."""
        return _parameters(self.trunk)

    def head_parameters(self) -> Iterator[NamedParameter]:
        """Trainable parameters of the head."""
        return _parameters(self.head)


def _parameters(part: Trunk | Head) -> Iterator[NamedParameter]:
    for name, parameter in part.named_parameters():
        if parameter.requires_grad:
            yield NamedParameter(name, parameter, part.decays(name, parameter))
