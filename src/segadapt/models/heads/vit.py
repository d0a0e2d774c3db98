"""VFM-UDA's head for ViTs, whose one map is coarse."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.base.section import Section
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.trunks.base import Trunk


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of maps (N, C, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ViT(Head):
    """The last map, fourfold by transposed convolutions (VFM-UDA).

    Two of them; then a convolution of 3x3 and one of 1x1.
    """

    def __init__(self, config: Section, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        channels = trunk.channels[-1]
        half, quarter = channels // 2, channels // 4
        self.upscale = nn.Sequential(
            nn.ConvTranspose2d(channels, half, 2, stride=2),
            ChannelNorm(half),
            nn.GELU(),
            nn.ConvTranspose2d(half, quarter, 2, stride=2),
            ChannelNorm(quarter),
        )
        self.mix = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.main = nn.Conv2d(quarter, num_classes, 1)

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """Neither norms nor biases."""
        return parameter.ndim > 1

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`; scores have a fourth of the last map's stride."""
        return LevelLogits(self.main(self.mix(self.upscale(maps[-1]))))
