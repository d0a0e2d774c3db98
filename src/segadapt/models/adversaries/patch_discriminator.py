"""CycleGAN's discriminator: real or made, judged on patches of 70x70 (Zhu et al., ICCV 2017)."""

from __future__ import annotations

from torch import nn

from segadapt.models.generator import initialised


def build_patch_discriminator(width: int = 64) -> nn.Sequential:
    """C64-C128-C256-C512 of the paper's appendix, and one map; raw outputs, no sigmoid.

    RGB (N, 3, H, W) in [-1, 1] -> (N, 1, about H/8, about W/8); each output sees 70x70 pixels.
    Entries have the numbers of the published program's files, as in :func:`build_generator`.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(3, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    for channels, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, stride=stride, padding=1),
            nn.InstanceNorm2d(2 * channels),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    layers.append(nn.Conv2d(8 * width, 1, 4, padding=1))
    return initialised(nn.Sequential(*layers))
