"""What every segmenter is: an image in, logits of one or two levels out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn


class LevelLogits(NamedTuple):
    """Class scores at network resolution, (N, C, h, w), of main and auxiliary classifier."""

    main: Tensor
    aux: Tensor | None


class Segmenter(nn.Module):
    """Base of all segmentation networks.

    Subclasses name the parts of their pretrained trunk in ``trunk`` and their classifiers
    ``layer5`` (auxiliary, only when ``multi_level``) and ``layer6`` (main).
    """

    trunk: tuple[str, ...] = ()

    def __init__(self, num_classes: int, multi_level: bool) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.multi_level = multi_level

    def forward(self, image: Tensor) -> LevelLogits:
        """(N, 3, H, W) normalised images -> :class:`LevelLogits`."""
        raise NotImplementedError

    def trunk_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Trainable parameters of the pretrained trunk with their full names."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and name.split(".")[0] in self.trunk:
                yield name, parameter

    def classifier_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Trainable parameters of the classifiers with their full names."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and name.split(".")[0] not in self.trunk:
                yield name, parameter
