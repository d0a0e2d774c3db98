"""VFM-UDA's head for ViTs, whose one map is coarse."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.base.section import Section
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.trunks.base import Trunk


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of maps (N, C, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ViT(Head):
    """The last map, fourfold by transposed convolutions (VFM-UDA).

    Two of them, a convolution of 3x3 and one of 1x1, a layer norm after each but the last, and no
    biases, as in the released program.
    """

    def __init__(self, config: Section, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        channels = trunk.channels[-1]
        half, quarter = channels // 2, channels // 4
        self.upscale = nn.Sequential(
            nn.ConvTranspose2d(channels, half, 2, stride=2, bias=False),
            ChannelNorm(half),
            nn.GELU(),
            nn.ConvTranspose2d(half, quarter, 2, stride=2, bias=False),
            ChannelNorm(quarter),
            nn.Conv2d(quarter, quarter, 3, padding=1, bias=False),
            ChannelNorm(quarter),
        )
        self.main = nn.Conv2d(quarter, num_classes, 1, bias=False)

    def initialise(self) -> None:
        """As the released program starts it."""
        nn.init.normal_(self.main.weight, 0.0, 0.1)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`; scores have a fourth of the last map's stride."""
        return LevelLogits(self.main(self.upscale(maps[-1])))
