"""CycleGAN's generator: a ResNet from picture to picture (Zhu et al., ICCV 2017)."""

from __future__ import annotations

from torch import Tensor, nn

STRIDE = 4
"""Sides of images must be multiples of this, or the output's would differ."""


class GeneratorBlock(nn.Module):
    """Two 3x3 convolutions beside an identity, (N, channels, h, w) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        output: Tensor = x + self.conv_block(x)
        return output


def build_generator(width: int = 64, blocks: int = 9) -> nn.Sequential:
    """c7s1-k, d2k, d4k, R4k x blocks, u2k, uk, c7s1-3 of the paper's appendix, for width k.

    Takes and gives RGB (N, 3, H, W) in [-1, 1]; H and W are multiples of four. Its entries have
    the numbers of the published program's files, ``model.N`` there being ``N`` here.

    Args:
        width: channels after the first convolution.
        blocks: residual blocks; the paper has 9 from 256x256 on, and 6 below.
    """
    layers: list[nn.Module] = [
        nn.ReflectionPad2d(3),
        nn.Conv2d(3, width, 7),
        nn.InstanceNorm2d(width),
        nn.ReLU(inplace=True),
    ]
    for channels in (width, 2 * width):
        layers += [
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.InstanceNorm2d(2 * channels),
            nn.ReLU(inplace=True),
        ]
    layers += [GeneratorBlock(4 * width) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        layers += [
            nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1),
            nn.InstanceNorm2d(channels // 2),
            nn.ReLU(inplace=True),
        ]
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
    return initialised(nn.Sequential(*layers))


def initialised(network: nn.Sequential) -> nn.Sequential:
    """The network with weights drawn from N(0, 0.02) and no biases, as published."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return network
