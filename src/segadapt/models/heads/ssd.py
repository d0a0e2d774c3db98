"""SSD's head: anchors on maps of several sizes (Liu et al., ECCV 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from segadapt.models.boxes import BoxOutput, Grid, stacked
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.heads.config.ssd import SSDConfig
from segadapt.models.trunks.base import Trunk

LENGTH = 20.0
"""Of normalised vectors at first (Liu et al., Sec. 3.1)."""


class SSD(Head):
    """Anchor boxes on each of a trunk's maps.

    Their classes and offsets are given by 3x3 convolutions. Where a trunk gives fewer maps than
    there are aspect ratios, further ones follow its last: a 1x1 and a 3x3 convolution of stride 2
    each (Fig. 2 of the paper).
    """

    Config = SSDConfig

    def __init__(self, config: SSDConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        anchors = config.anchors_of_maps
        self.taken = taken_maps(trunk.strides, config.finest)[-len(anchors) :]
        channels = [trunk.channels[i] for i in self.taken]
        self.lengths = nn.ParameterList(
            nn.Parameter(torch.full((number,), LENGTH)) for number in channels if config.normalised
        )
        self.extra = nn.ModuleList()
        while len(channels) < len(anchors):
            self.extra.append(_smaller(channels[-1], config.extra_channels))
            channels.append(config.extra_channels)
        self.classifiers = nn.ModuleList(
            nn.Conv2d(c, k * (num_classes + 1), 3, padding=1)
            for c, k in zip(channels, anchors, strict=True)
        )
        self.regressors = nn.ModuleList(
            nn.Conv2d(c, k * 4, 3, padding=1) for c, k in zip(channels, anchors, strict=True)
        )
        self.anchors = anchors
        self.generator = DefaultBoxGenerator(
            [list(ratios) for ratios in config.aspect_ratios],  # type: ignore[arg-type]
            scales=list(config.scales),
            # Anchors are asked for an image of one pixel, so that they are shares of its sides.
            steps=None if config.steps is None else list(config.steps),  # type: ignore[arg-type]
        )

    @classmethod
    def misfit(cls, trunk: Trunk) -> str | None:
        """It looks at maps, the finest of which must be fine."""
        if trunk.side is not None:
            return "sees an image as a whole and finds no boxes; set heads to single"
        if len(set(trunk.strides)) < 2 and len(trunk.strides) > 1:
            return "gives maps of one size, and boxes need several; set heads to single"
        return None

    def initialise(self) -> None:
        """As torchvision starts it: Xavier's weights, biases of 0."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        seen = [maps[i] for i in self.taken]
        for place, length in enumerate(self.lengths):
            seen[place] = length.view(1, -1, 1, 1) * F.normalize(seen[place].float())
        for layer in self.extra:
            seen.append(layer(seen[-1]))
        grids = tuple(
            Grid(map_.shape[-2], map_.shape[-1], number)
            for map_, number in zip(seen, self.anchors, strict=True)
        )
        with torch.autocast(seen[0].device.type, enabled=False):
            pixel = ImageList(seen[0].new_empty((1, 0, 1, 1), dtype=torch.float32), [(1, 1)])
            anchors = self.generator(pixel, [map_.float() for map_ in seen])[0]
        boxes = BoxOutput(
            _rows(self.classifiers, seen, self.anchors).float(),
            _rows(self.regressors, seen, self.anchors).float(),
            anchors,
            grids,
        )
        return LevelLogits(stacked(boxes), boxes=boxes)


def taken_maps(strides: tuple[int, ...], finest: int) -> list[int]:
    """Numbers of the maps to look at: the last of each stride that is not too fine."""
    last = {stride: place for place, stride in enumerate(strides)}
    return [place for stride, place in sorted(last.items()) if stride >= finest] or [
        len(strides) - 1
    ]


def _smaller(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width // 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(width // 2, width, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
    )


def _rows(layers: nn.ModuleList, maps: list[Tensor], anchors: tuple[int, ...]) -> Tensor:
    """(N, A, numbers of an anchor), by map, row, column and shape."""
    rows = []
    for layer, map_, number in zip(layers, maps, anchors, strict=True):
        found: Tensor = layer(map_)
        images, _, height, width = found.shape
        found = found.view(images, number, -1, height, width).permute(0, 3, 4, 1, 2)
        rows.append(found.reshape(images, height * width * number, -1))
    return torch.cat(rows, dim=1)
