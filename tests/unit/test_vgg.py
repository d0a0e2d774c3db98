"""VGG-16: the network against plain convolutions, its levels, its starting weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter, load_starting_weights
from segadapt.models.segmenter import Segmenter

# Of VGG-16's configuration D (Simonyan and Zisserman, 2015, Table 1): "M" is a pooling.
CHANNELS = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def torchvision_entries() -> dict[str, Tensor]:
    """A file in torchvision's numbers, written down from the configuration; random contents."""
    generator = torch.Generator().manual_seed(4)
    entries, number, channels = {}, 0, 3
    for wanted in CHANNELS:
        if isinstance(wanted, int):
            shape = (wanted, channels, 3, 3)
            scale = (2 / (9 * channels)) ** 0.5
            entries[f"features.{number}.weight"] = torch.randn(shape, generator=generator) * scale
            entries[f"features.{number}.bias"] = torch.randn(wanted, generator=generator) * 0.1
            channels = wanted
        number += 2 if isinstance(wanted, int) else 1
    entries["classifier.0.weight"] = torch.zeros(8, 8)  # of the image classifier, unused
    return entries


def features(entries: dict[str, Tensor], model: Segmenter, image: Tensor) -> Tensor:
    """DeepLab-v2's VGG trunk, written out: three poolings, conv5 dilated 2, fc6 and fc7 by 4."""
    x, number = image, 0
    for block, size in enumerate((2, 2, 3, 3, 3)):
        rate = 2 if block == 4 else 1
        for _ in range(size):
            weight, bias = (entries[f"features.{number}.{k}"] for k in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, padding=rate, dilation=rate).relu()
            number += 2
        number += 1
        if block < 3:
            x = F.max_pool2d(x, 2)
    fc6, fc7 = model.trunk.features[29], model.trunk.features[31]
    for layer in (fc6, fc7):
        assert layer.weight.shape[0] == 1024
        x = F.conv2d(x, layer.weight, layer.bias, padding=4, dilation=4).relu()
    return x


@pytest.mark.parametrize("prefix", ["", "module."])
def test_prediction_from_a_file_in_torchvisions_numbers(tmp_path: Path, prefix: str) -> None:
    entries = torchvision_entries()
    torch.save({prefix + k: v for k, v in entries.items()}, tmp_path / "vgg.pth")
    config = ModelConfig(backbone="vgg16", heads="single", weights="vgg.pth")
    torch.manual_seed(0)
    model = build_segmenter(config, 3).eval()
    fc6 = model.trunk.features[29].weight.clone()
    load_starting_weights(model, config, tmp_path)
    assert torch.equal(model.trunk.features[29].weight, fc6)
    image = torch.randn(1, 3, 70, 49)
    with torch.no_grad():
        x = features(entries, model, image)
        wanted = sum(
            F.conv2d(x, c.weight, c.bias, padding=rate, dilation=rate)
            for rate, c in zip((6, 12, 18, 24), model.head.main.conv2d_list, strict=True)
        )
        output = model(image)
    assert output.aux is None and output.main.shape == (1, 3, 8, 6)
    torch.testing.assert_close(output.main, wanted, rtol=1e-4, atol=1e-5)


def test_file_in_our_own_numbers_is_taken_with_its_fc6_and_fc7(tmp_path: Path) -> None:
    config = ModelConfig(backbone="vgg16", heads="single", weights="vgg.pth")
    torch.manual_seed(1)
    first = build_segmenter(config, 3)
    torch.save(first.state_dict(), tmp_path / "vgg.pth")
    second = build_segmenter(config, 3)
    load_starting_weights(second, config, tmp_path)
    for (name, a), (_, b) in zip(first.named_parameters(), second.named_parameters(), strict=True):
        assert torch.equal(a, b) == name.startswith("trunk."), name


def test_file_without_conv5_is_refused(tmp_path: Path) -> None:
    entries = {k: v for k, v in torchvision_entries().items() if not k.startswith("features.28")}
    torch.save(entries, tmp_path / "vgg.pth")
    config = ModelConfig(backbone="vgg16", heads="single", weights="vgg.pth")
    with pytest.raises(SegadaptError, match=r"vgg\.pth: lacks 2 of the 30 entries of vgg16"):
        load_starting_weights(build_segmenter(config, 3), config, tmp_path)


def test_two_levels_are_refused_in_one_sentence() -> None:
    with pytest.raises(SegadaptError, match=r"vgg16 has one level.*set heads to single"):
        build_segmenter(ModelConfig(backbone="vgg16"), 3)
    with pytest.raises(SegadaptError, match=r"vgg16 has one level"):
        build_segmenter(ModelConfig(backbone="vgg16", heads="multi_level"), 3)
