"""The heads of DAFormer and of VFM-UDA against the same, written out as their programs have it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.config import ModelConfig
from segadapt.models.heads.base import Head, find_head
from segadapt.models.trunks.base import Trunk

CLASSES = 5


class Pyramid(Trunk):
    """Gives no maps; heads only look at what it says of them."""

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...]) -> None:
        super().__init__()
        self.channels, self.strides = channels, strides


def head(name: str, of: tuple[int, ...], strides: tuple[int, ...], **settings: object) -> Head:
    """A head for maps of so many channels."""
    torch.manual_seed(0)
    config = ModelConfig(backbone="squeezenet1_0", heads=name, weights="none", **settings)
    found = find_head(name)(config.section("heads"), Pyramid(of, strides), CLASSES)
    found.initialise()
    for parameter in found.parameters():  # so that no norm or bias is without effect
        nn.init.normal_(parameter, 0.0, 0.5)
    return found.eval()


def maps(channels: tuple[int, ...], strides: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(2, c, 64 // s, 96 // s, generator=generator)
        for c, s in zip(channels, strides, strict=True)
    ]


def bn_relu(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias).relu()


def test_daformer_fuses_all_levels_with_separable_dilated_convolutions() -> None:
    channels, strides = (3, 4, 6, 8, 10), (2, 4, 8, 16, 32)
    ours = head("daformer", channels, strides, channels=7)
    given = maps(channels, strides)
    # The map of stride 2 is not looked at; the finest of the others gives the size.
    embedded = [
        F.interpolate(
            F.linear(x.movedim(1, -1), e.weight[:, :, 0, 0], e.bias).movedim(-1, 1),
            size=(16, 24),
            mode="bilinear",
            align_corners=False,
        )
        for x, e in zip(given[1:], ours.embed, strict=True)
    ]
    x = torch.cat(embedded, dim=1)
    seen = []
    for dilation, branch in zip((1, 6, 12, 18), ours.branches, strict=True):
        if dilation == 1:
            seen.append(bn_relu(F.conv2d(x, branch[0].weight), branch[1]))
            continue
        wide = F.conv2d(x, branch[0].weight, padding=dilation, dilation=dilation, groups=28)
        seen.append(bn_relu(F.conv2d(bn_relu(wide, branch[1]), branch[3].weight), branch[4]))
    fused = bn_relu(F.conv2d(torch.cat(seen, 1), ours.fuse[0].weight, padding=1), ours.fuse[1])
    wanted = F.conv2d(fused, ours.main.weight, ours.main.bias)
    with torch.no_grad():
        found = ours(given).main
    assert found.shape == (2, CLASSES, 16, 24)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)


def test_vit_head_is_transposed_convolutions_with_norms_over_channels() -> None:
    channels, strides = (16,), (16,)
    ours = head("vit", channels, strides)
    (x,) = maps(channels, strides)

    def norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        spread = (x - mean).square().mean(dim=1, keepdim=True).add(1e-6).sqrt()
        scale, shift = (p[None, :, None, None] for p in (layer.weight, layer.bias))
        return (x - mean) / spread * scale + shift

    up = ours.upscale
    y = F.gelu(norm(F.conv_transpose2d(x, up[0].weight, stride=2), up[1]))
    y = norm(F.conv_transpose2d(y, up[3].weight, stride=2), up[4])
    y = norm(F.conv2d(y, up[5].weight, padding=1), up[6])
    wanted = F.conv2d(y, ours.main.weight)
    with torch.no_grad():
        found = ours([x]).main
    assert found.shape == (2, CLASSES, 16, 24)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    biases = [k for k, _ in ours.named_parameters() if k.endswith("bias")]
    assert biases == ["upscale.1.bias", "upscale.4.bias", "upscale.6.bias"]


def test_linear_head_is_one_number_for_each_class_and_channel() -> None:
    ours = head("linear", (4, 6), (4, 8))
    given = maps((4, 6), (4, 8))
    wanted = F.linear(given[-1].movedim(1, -1), ours.main.weight[:, :, 0, 0], ours.main.bias)
    with torch.no_grad():
        torch.testing.assert_close(ours(given).main, wanted.movedim(-1, 1))


@pytest.mark.parametrize(("name", "spread"), [("daformer", 0.01), ("vit", 0.1)])
def test_last_layers_start_as_released(name: str, spread: float) -> None:
    torch.manual_seed(0)
    config = ModelConfig(backbone="squeezenet1_0", heads=name, weights="none")
    found = find_head(name)(config.section("heads"), Pyramid((1024,), (16,)), 19)
    found.initialise()
    # 4864 weights: the standard error of their deviation is a hundredth of it
    assert float(found.main.weight.detach().std()) == pytest.approx(spread, rel=0.05)
    assert found.main.bias is None or not found.main.bias.any()
