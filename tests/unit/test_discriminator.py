"""The discriminator against its description in the paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segadapt.models.adversaries.discriminator import build_discriminator


def test_layers_are_those_of_the_paper() -> None:
    # ADVENT, Sec. 4.1, after DCGAN: 4x4 kernels, stride 2, leaky ReLU of slope 0.2 but at the end
    layers = list(build_discriminator(19))
    convolutions = layers[::2]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [
        (19, 64), (64, 128), (128, 256), (256, 512), (512, 1),
    ]  # fmt: skip
    for convolution in convolutions:
        assert isinstance(convolution, nn.Conv2d)
        assert (convolution.kernel_size, convolution.stride) == ((4, 4), (2, 2))
        assert convolution.padding == (1, 1)
    assert all(isinstance(x, nn.LeakyReLU) and x.negative_slope == 0.2 for x in layers[1::2])
    assert len(layers) == 9


def test_width_scales_all_hidden_layers() -> None:
    widths = [c.out_channels for c in build_discriminator(7, width=3) if isinstance(c, nn.Conv2d)]
    assert widths == [3, 6, 12, 24, 1]


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 128), (512, 1024)])
def test_every_layer_halves_the_map(height: int, width: int) -> None:
    with torch.device("meta"):
        network = build_discriminator(5)
        output = network(torch.empty(2, 5, height, width))
    assert output.shape == (2, 1, height // 32, width // 32)
