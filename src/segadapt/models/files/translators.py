"""Trained translators as files: our own, and the published CycleGAN's generators."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.base.errors import SegadaptError
from segadapt.config import GeneratorConfig
from segadapt.models.files.tensors import read_safetensors, read_tensors, write_safetensors
from segadapt.models.generator import STRIDE, build_generator

FORMAT = "segadapt-translator-1"
# Averages of normalisation layers, which files of the program's first version have.
UNUSED = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Translator:
    """Generators from source to target and, where the file has it, back."""

    config: GeneratorConfig
    to_target: nn.Module
    to_source: nn.Module | None


def save_translator(path: Path, translator: Translator) -> None:
    """Write one safetensors file that :func:`load_translator` needs nothing else for."""
    parts = {"to_target": translator.to_target, "to_source": translator.to_source}
    tensors = {
        f"{part}.{name}": value
        for part, network in parts.items()
        if network is not None
        for name, value in network.state_dict().items()
    }
    description = {"format": FORMAT, "generator": translator.config.model_dump()}
    write_safetensors(path, tensors, {"segadapt": json.dumps(description)})


def load_translator(path: Path) -> Translator:
    """Read our own file (``.safetensors``) or a published generator (any other ending).

    Raises:
        SegadaptError: missing or damaged file, or one that holds no generator.
    """
    if path.suffix != ".safetensors":
        config, network = read_published_generator(read_tensors(path), path)
        return Translator(config, network.eval(), None)
    tensors, metadata = read_safetensors(path)
    try:
        description = json.loads(metadata["segadapt"])
        if description["format"] != FORMAT:
            raise ValueError(f"its format is {description['format']}, expected {FORMAT}")
        config = GeneratorConfig.model_validate(description["generator"])
    except (KeyError, ValueError, TypeError) as error:
        raise SegadaptError(
            f"{path}: holds no translator of segadapt ({error}); give a translator.safetensors of "
            "a train_translator stage, or a published CycleGAN generator (.pth)"
        ) from error
    parts: dict[str, dict[str, Tensor]] = {"to_target": {}, "to_source": {}}
    for key, value in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = value
    back = parts["to_source"]
    return Translator(
        config,
        _filled(config, parts["to_target"], path),
        _filled(config, back, path) if back else None,
    )


def read_published_generator(
    tensors: Mapping[str, Tensor], path: Path
) -> tuple[GeneratorConfig, nn.Sequential]:
    """A ResNet generator of the published program (``latest_net_G*.pth``) as one of ours.

    Width and number of blocks are read off the entries. Files that were trained with dropout have
    the second convolution of each block at another number; both are read.

    Raises:
        SegadaptError: the entries are not those of such a generator.
    """
    plain = without_prefix(tensors)
    first = plain.get("1.weight")
    if first is None or first.shape[1:] != (3, 7, 7):
        raise SegadaptError(
            f"{path}: holds no ResNet generator of CycleGAN (model.1.weight should be "
            "width x 3 x 7 x 7); give a latest_net_G*.pth with instance normalisation"
        )
    blocks = {name.split(".")[0] for name in plain if ".conv_block." in name}
    ours = {name.replace(".conv_block.6.", ".conv_block.5."): v for name, v in plain.items()}
    config = GeneratorConfig(width=len(first), blocks=max(1, len(blocks)))
    return config, _filled(config, ours, path)


def without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Entries of a published network under our names; of a 70x70 discriminator
    (``latest_net_D*.pth``) that is all there is to do."""
    return {
        name.removeprefix("model."): value
        for name, value in tensors.items()
        if not name.endswith(UNUSED)
    }


def _filled(config: GeneratorConfig, tensors: Mapping[str, Tensor], path: Path) -> nn.Sequential:
    network = build_generator(config.width, config.blocks)
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise SegadaptError(
            f"{path}: does not fit a ResNet generator of width {config.width} and {config.blocks} "
            f"blocks ({str(error).splitlines()[-1].strip()}); is it one of another layout, with "
            "batch normalisation, say?"
        ) from error
    return network.eval()


def translate_whole(generator: nn.Module, image: Tensor) -> Tensor:
    """(N, 3, H, W) in [-1, 1] through a generator at its own size, whatever the size."""
    height, width = image.shape[-2:]
    padding = (0, -width % STRIDE, 0, -height % STRIDE)
    output = generator(F.pad(image, padding, mode="reflect"))
    cut: Tensor = output[..., :height, :width].float()
    return cut
