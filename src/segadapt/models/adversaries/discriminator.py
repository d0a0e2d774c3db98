"""Fully convolutional domain discriminator (DCGAN style; ADVENT, Sec. 4.1)."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn


def build_discriminator(in_channels: int, width: int = 64) -> nn.Sequential:
    """Five 4x4 convolutions of stride 2, leaky ReLU (slope 0.2) between them, one output channel.

    Args:
        in_channels: channels of the maps that are judged (the number of classes).
        width: channels of the first layer; the published value is 64. The cost at full image size
            is that of a light segmenter, and falls with the square of the width.

    Entry names (``0.weight``, ``2.weight``, ...) are those of the published checkpoint files.
    The input must be at least 32 pixels high and wide.
    """
    channels = (in_channels, width, 2 * width, 4 * width, 8 * width, 1)
    layers: list[nn.Module] = []
    for i in range(5):
        layers.append(nn.Conv2d(channels[i], channels[i + 1], kernel_size=4, stride=2, padding=1))
        if i < 4:
            layers.append(nn.LeakyReLU(negative_slope=0.2, inplace=True))
    return nn.Sequential(*layers)


def level_discriminators(
    level_names: Iterable[str], in_channels: int, width: int
) -> dict[str, nn.Module]:
    """A discriminator for each level: ``discriminator_main``, ``discriminator_aux``."""
    return {
        f"discriminator_{name}": build_discriminator(in_channels, width) for name in level_names
    }


def score_discriminator(in_channels: int, width: int = 500) -> nn.Sequential:
    """ADDA's discriminator of class scores, fully connected (CyCADA, supplement), on 1x1 maps.

    (N, in_channels, 1, 1) -> (N, 1, 1, 1); raw output, no sigmoid. One output in place of the
    program's two: their difference is all that its softmax sees.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 1),
        nn.ReLU(),
        nn.Conv2d(width, width, 1),
        nn.ReLU(),
        nn.Conv2d(width, 1, 1),
    )
