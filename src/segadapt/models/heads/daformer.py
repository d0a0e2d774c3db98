"""DAFormer's head: all levels, fused with their context (Hoyer et al., CVPR 2022, Sec. 4.1)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.heads.config.daformer import DAFormerConfig
from segadapt.models.trunks.base import Trunk

FINEST = 4
"""Stride of the finest map that is looked at."""


def _with_norm(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()]


def _branch(channels: int, out: int, dilation: int) -> nn.Sequential:
    """A convolution of 1x1, or a depthwise separable one of 3x3, (N, channels, h, w)."""
    if dilation == 1:
        return nn.Sequential(*_with_norm(nn.Conv2d(channels, out, 1, bias=False)))
    wide = nn.Conv2d(
        channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False
    )
    return nn.Sequential(*_with_norm(wide), *_with_norm(nn.Conv2d(channels, out, 1, bias=False)))


class DAFormer(Head):
    """All maps of stride 4 and more, joined and fused (DAFormer).

    Each is embedded and brought to the finest one's size; the fusion is an ASPP of separable
    convolutions.
    """

    Config = DAFormerConfig

    def __init__(self, config: DAFormerConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        self._taken = [i for i, stride in enumerate(trunk.strides) if stride >= FINEST]
        width = config.channels
        self.embed = nn.ModuleList(nn.Conv2d(trunk.channels[i], width, 1) for i in self._taken)
        self._add_fusion(width * len(self._taken), config)
        self.dropout = nn.Dropout2d(config.dropout)
        self.main = nn.Conv2d(width, num_classes, 1)

    def _add_fusion(self, joined: int, config: DAFormerConfig) -> None:
        width = config.channels
        self.branches = nn.ModuleList(_branch(joined, width, d) for d in config.aspp_dilations)
        fused = width * len(config.aspp_dilations)
        self.fuse = nn.Sequential(*_with_norm(nn.Conv2d(fused, width, 3, padding=1, bias=False)))

    def _fused(self, joined: Tensor) -> Tensor:
        fused: Tensor = self.fuse(torch.cat([branch(joined) for branch in self.branches], dim=1))
        return fused

    @classmethod
    def of_attention(cls, config: Any, trunk: Trunk, num_classes: int) -> Head:
        """Without the ASPP, as in HRDA's program."""
        return PlainDAFormer(config, trunk, num_classes)

    def initialise(self) -> None:
        """As the released program starts it."""
        nn.init.normal_(self.main.weight, 0.0, 0.01)
        assert self.main.bias is not None
        nn.init.zeros_(self.main.bias)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`; scores have the stride of the finest map that is taken."""
        taken = [maps[i] for i in self._taken]
        size = taken[0].shape[-2:]
        embedded = [
            F.interpolate(embed(x), size=size, mode="bilinear", align_corners=False)
            for embed, x in zip(self.embed, taken, strict=True)
        ]
        fused = self._fused(torch.cat(embedded, dim=1))
        return LevelLogits(self.main(self.dropout(fused)))


class PlainDAFormer(DAFormer):
    """The same, fused by one convolution of 1x1."""

    def _add_fusion(self, joined: int, config: DAFormerConfig) -> None:
        self.fuse = nn.Sequential(*_with_norm(nn.Conv2d(joined, config.channels, 1, bias=False)))

    def _fused(self, joined: Tensor) -> Tensor:
        fused: Tensor = self.fuse(joined)
        return fused
