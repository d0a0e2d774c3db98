"""CycleGAN's networks have the published layout, and their files are read and written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from segadapt.base.errors import SegadaptError
from segadapt.config import GeneratorConfig
from segadapt.models.adversaries.patch_discriminator import build_patch_discriminator
from segadapt.models.files.translators import (
    Translator,
    load_translator,
    save_translator,
    translate_whole,
    without_prefix,
)
from segadapt.models.generator import GeneratorBlock, build_generator
from segadapt.models.inputs import from_signed, signed

# Entries with weights of the published program's resnet_9blocks (models/networks.py): its
# Sequential "model" begins with padding, convolution, normalisation, ReLU, and so on.
PUBLISHED_GENERATOR = {
    "model.1": (64, 3, 7, 7),
    "model.4": (128, 64, 3, 3),
    "model.7": (256, 128, 3, 3),
    **{f"model.{10 + i}.conv_block.{k}": (256, 256, 3, 3) for i in range(9) for k in (1, 5)},
    "model.19": (256, 128, 3, 3),
    "model.22": (128, 64, 3, 3),
    "model.26": (3, 64, 7, 7),
}
PUBLISHED_DISCRIMINATOR = {
    "model.0": (64, 3, 4, 4),
    "model.2": (128, 64, 4, 4),
    "model.5": (256, 128, 4, 4),
    "model.8": (512, 256, 4, 4),
    "model.11": (1, 512, 4, 4),
}


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {
        f"model.{name.removesuffix('.weight')}": tuple(value.shape)
        for name, value in network.state_dict().items()
        if name.endswith(".weight")
    }


def test_generator_has_the_published_layout() -> None:
    network = build_generator()
    assert shapes(network) == PUBLISHED_GENERATOR
    # What the published program prints: 11.378 M.
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 3) == 11.378


def test_discriminator_has_the_published_layout() -> None:
    network = build_patch_discriminator()
    assert shapes(network) == PUBLISHED_DISCRIMINATOR
    # What the published program prints: 2.765 M.
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 3) == 2.765


def test_discriminator_sees_patches_of_seventy_pixels() -> None:
    network = build_patch_discriminator(4)
    for module in network.modules():
        if isinstance(module, nn.InstanceNorm2d):  # looks at the whole image
            module.forward = lambda x: x  # type: ignore[method-assign]
    image = torch.rand(1, 3, 256, 256, requires_grad=True)
    output = network(image)
    assert output.shape == (1, 1, 30, 30)
    output[0, 0, 15, 15].backward()
    assert image.grad is not None
    rows, columns = (image.grad[0].sum(0).abs() > 0).nonzero().T
    assert rows.max() - rows.min() + 1 == 70 == columns.max() - columns.min() + 1


def test_weights_begin_as_published() -> None:
    torch.manual_seed(0)
    network = build_generator(64, 1)
    weight = network[4].weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert all(not m.bias.any() for m in network.modules() if isinstance(m, nn.Conv2d))


def test_generator_keeps_size_and_range() -> None:
    output = build_generator(4, 1)(torch.randn(2, 3, 36, 64))
    assert output.shape == (2, 3, 36, 64)
    assert float(output.abs().max()) <= 1


def test_pictures_pass_through_the_range_of_generators_unchanged() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(-1, -1, -1, 3)
    assert float(signed(image).min()) == -1 and float(signed(image).max()) == 1
    assert torch.equal(from_signed(signed(image)), image)


@pytest.mark.parametrize("size", [(32, 48), (33, 46), (35, 45)])
def test_whole_images_of_any_size_keep_it(size: tuple[int, int]) -> None:
    network = build_generator(4, 1).eval()
    image = torch.rand(1, 3, *size)
    with torch.no_grad():
        output = translate_whole(network, image)
        assert output.shape == image.shape
        if size[0] % 4 == size[1] % 4 == 0:
            assert torch.equal(output, network(image))


# Files -------------------------------------------------------------------------------------------


def translator() -> Translator:
    torch.manual_seed(0)
    return Translator(
        GeneratorConfig(width=4, blocks=2), build_generator(4, 2), build_generator(4, 2)
    )


def same(first: nn.Module, second: nn.Module) -> bool:
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        return torch.equal(first(image), second(image))


def test_written_translators_are_read_back(tmp_path: Path) -> None:
    written = translator()
    save_translator(tmp_path / "translator.safetensors", written)
    found = load_translator(tmp_path / "translator.safetensors")
    assert found.config == written.config
    assert same(found.to_target, written.to_target)
    assert found.to_source is not None and written.to_source is not None
    assert same(found.to_source, written.to_source)
    assert not same(found.to_target, found.to_source)


def published(network: nn.Sequential, dropout: bool, averages: bool) -> dict[str, Tensor]:
    """A generator's state dict as the published program writes it."""
    found = {}
    for name, value in network.state_dict().items():
        # With dropout a layer stands between the two convolutions of a block.
        name = name.replace("conv_block.5", "conv_block.6") if dropout else name
        found[f"model.{name}"] = value
    if averages:
        found |= {"model.2.running_mean": torch.zeros(4), "model.2.running_var": torch.ones(4)}
    return found


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("averages", [False, True])
def test_published_generators_are_read(tmp_path: Path, dropout: bool, averages: bool) -> None:
    network = build_generator(4, 2)
    torch.save(published(network, dropout, averages), tmp_path / "latest_net_G_A.pth")
    found = load_translator(tmp_path / "latest_net_G_A.pth")
    assert found.config == GeneratorConfig(width=4, blocks=2)
    assert found.to_source is None
    assert same(found.to_target, network)


def test_published_discriminators_are_read() -> None:
    network, other = build_patch_discriminator(4), build_patch_discriminator(4)
    tensors = {f"model.{k}": v for k, v in network.state_dict().items()}
    other.load_state_dict(without_prefix(tensors))
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(network(image), other(image))


def test_files_of_other_kinds_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({"conv1.weight": torch.zeros(3)}, path)
    with pytest.raises(SegadaptError, match="holds no ResNet generator of CycleGAN"):
        load_translator(path)
    unet = {"model.1.weight": torch.zeros(4, 3, 7, 7), "model.2.weight": torch.zeros(4)}
    torch.save(unet, path)
    with pytest.raises(SegadaptError, match="does not fit a ResNet generator of width 4"):
        load_translator(path)
    path = tmp_path / "net.safetensors"
    save_translator(path, translator())
    data = path.read_bytes()
    path.write_bytes(data[:200])
    with pytest.raises(SegadaptError, match="not a readable safetensors file"):
        load_translator(path)
    with pytest.raises(SegadaptError, match="there is no such file"):
        load_translator(tmp_path / "none.safetensors")


def test_block_adds_to_its_input() -> None:
    block = GeneratorBlock(4)
    for module in block.conv_block:
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    x = torch.rand(1, 4, 8, 8)
    assert torch.equal(block(x), x)
