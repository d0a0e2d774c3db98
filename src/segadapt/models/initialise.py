"""Builds segmenters and fills them with their starting weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from segadapt.config import ModelConfig
from segadapt.errors import SegadaptError, first_line
from segadapt.models import digits, resnet, squeezenet, vgg
from segadapt.models.base import Segmenter
from segadapt.models.files import read_tensors

BACKBONES = (*resnet.BACKBONES, *vgg.BACKBONES, *squeezenet.BACKBONES, *digits.BACKBONES)


def build_segmenter(config: ModelConfig, num_classes: int) -> Segmenter:
    """A segmenter with random weights (from torch's global generator).

    Raises:
        SegadaptError: unknown backbone.
    """
    backbone, heads, dilations = config.backbone, config.heads, config.dilations
    if backbone in resnet.BACKBONES:
        return resnet.ResNetSegmenter(
            backbone,
            num_classes,
            heads,
            dilations,
            config.batch_norm,
            attention_modules=config.attention_modules,
        )
    if backbone in vgg.BACKBONES:
        return vgg.VGGSegmenter(backbone, num_classes, heads, dilations, config.attention_modules)
    if backbone in squeezenet.BACKBONES:
        return squeezenet.SqueezeNetSegmenter(
            backbone, num_classes, heads, dilations, config.attention_modules
        )
    if backbone in digits.BACKBONES:
        return digits.DigitClassifier(backbone, num_classes)
    raise SegadaptError(
        f"model.backbone: {config.backbone!r} is unknown; choose one of {', '.join(BACKBONES)}"
    )


def check_weights(config: ModelConfig, data_root: Path) -> None:
    """Fetch or look at the starting weights, so that a lack of them shows before any work.

    Raises:
        SegadaptError: the file is missing or unreadable, or cannot be fetched.
    """
    if config.weights != "none":
        load_starting_weights(build_segmenter(config, num_classes=2), config, data_root)


def load_starting_weights(model: Segmenter, config: ModelConfig, data_root: Path) -> None:
    """Fill the trunk of ``model``; classifiers keep their random start.

    Raises:
        SegadaptError: the weights cannot be had, or do not fit the backbone.
    """
    if config.weights == "none":
        return
    if config.weights == "torchvision":
        tensors, origin = _fetch(config.backbone), f"torchvision's weights of {config.backbone}"
    else:
        path = data_root / Path(config.weights).expanduser()
        tensors, origin = read_tensors(path), str(path)
    # The published ImageNet and COCO files name their entries Scale.conv1.weight and so on.
    # COCO's layer5 predicts its 21 classes; no classifier is taken over from any file.
    tensors = model.rename_pretrained({k.removeprefix("Scale."): v for k, v in tensors.items()})
    own = model.state_dict()
    wanted = [k for k in own if k.split(".")[0] in model.trunk]
    # Files written before PyTorch 0.4 lack the batch counter, which nothing reads.
    optional = ("num_batches_tracked", *model.never_pretrained)
    missing = [k for k in wanted if k not in tensors and not k.endswith(optional)]
    if missing:
        raise SegadaptError(
            f"{origin}: lacks {len(missing)} of the {len(wanted)} entries of {config.backbone} "
            f"(first: {missing[0]}); give a file of that backbone in model.weights"
        )
    wrong = [k for k in wanted if k in tensors and tensors[k].shape != own[k].shape]
    if wrong:
        key = wrong[0]
        raise SegadaptError(
            f"{origin}: entry {key} has shape {tuple(tensors[key].shape)}, but {config.backbone} "
            f"needs {tuple(own[key].shape)}; give a file of that backbone in model.weights"
        )
    model.load_state_dict({k: tensors[k] for k in wanted if k in tensors}, strict=False)


def _fetch(backbone: str) -> dict[str, Tensor]:
    """torchvision's ImageNet weights, from its cache or the network.

    The ResNets' first weights are taken: the DeepLab trunk was designed with that recipe.
    """
    import torchvision

    weights = torchvision.models.get_model_weights(backbone)["IMAGENET1K_V1"]  # type: ignore[attr-defined]
    try:
        state = torch.hub.load_state_dict_from_url(
            weights.url, map_location="cpu", weights_only=True, progress=False
        )
    except Exception as error:  # no network, or a damaged file in the cache: it may be anything
        target = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise SegadaptError(
            f"model.weights: torchvision's weights of {backbone} cannot be fetched or read "
            f"({first_line(error)}). Without a network, put the file at {target}, or name a local "
            "file in model.weights, or set model.weights=none to start from random weights"
        ) from error
    return dict(state)


def backbone_names() -> list[str]:
    """Names of all backbones."""
    return list(BACKBONES)
