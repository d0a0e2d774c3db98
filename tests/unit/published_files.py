"""Files as the released programs write them, and their predictions in plain functions.

Entry names and shapes come from torchvision's trunk and the programs' classifiers; the
computation is written out from the papers and programs, and shares nothing with the package.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck

TINY = (1, 1, 1, 1)
RATES = (6, 12, 18, 24)
VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 23, 25, 27)
Entries = dict[str, Tensor]


def _random(shapes: dict[str, tuple[int, ...]], seed: int) -> Entries:
    generator = torch.Generator().manual_seed(seed)
    entries = {}
    for key, shape in shapes.items():
        x = torch.randn(shape, generator=generator)
        if len(shape) == 4:
            x = x * (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        elif key.endswith(("running_var", "weight")):
            x = 0.5 + x.abs()
        entries[key] = x
    return {k: torch.tensor(7) if k.endswith("tracked") else v for k, v in entries.items()}


def _classifiers(inputs: dict[str, int], classes: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, channels in inputs.items():
        for i in range(4):
            shapes[f"{name}.conv2d_list.{i}.weight"] = (classes, channels, 3, 3)
            shapes[f"{name}.conv2d_list.{i}.bias"] = (classes,)
    return shapes


def resnet_file(
    inputs: dict[str, int], classes: int = 19, blocks: tuple[int, ...] = TINY, seed: int = 0
) -> Entries:
    """A ResNet file with classifiers of these names and input channels."""
    with torch.device("meta"):
        trunk = torchvision.models.ResNet(Bottleneck, list(blocks)).state_dict()
    shapes = {k: tuple(v.shape) for k, v in trunk.items() if not k.startswith("fc.")}
    return _random(shapes | _classifiers(inputs, classes), seed)


def vgg_file(classes: int = 19) -> Entries:
    """A file of AdaptSegNet's VGG network: no pool4, then fc6 and fc7 as convolutions."""
    channels = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    shapes: dict[str, tuple[int, ...]] = {}
    for i, number in enumerate(VGG_CONVOLUTIONS):
        shapes[f"features.{number}.weight"] = (channels[i + 1], channels[i], 3, 3)
        shapes[f"features.{number}.bias"] = (channels[i + 1],)
    for number, before in ((29, 512), (31, 1024)):
        shapes[f"features.{number}.weight"] = (1024, before, 3, 3)
        shapes[f"features.{number}.bias"] = (1024,)
    return _random(shapes | _classifiers({"classifier": 1024}, classes), 5)


def classify(entries: Entries, name: str, x: Tensor, rates: tuple[int, ...] = RATES) -> Tensor:
    """The sum of the first ``len(rates)`` dilated convolutions of a classifier."""
    total = torch.zeros(())
    for i, rate in enumerate(rates):
        weight, bias = (entries[f"{name}.conv2d_list.{i}.{k}"] for k in ("weight", "bias"))
        total = total + F.conv2d(x, weight, bias, padding=rate, dilation=rate)
    return total


def _batch_norm(entries: Entries, name: str, x: Tensor) -> Tensor:
    mean, var, weight, bias = (
        entries[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, var, weight, bias, training=False)


def _block(entries: Entries, name: str, x: Tensor, stride: int, rate: int) -> Tensor:
    y = F.conv2d(x, entries[f"{name}.conv1.weight"], stride=stride)
    y = _batch_norm(entries, f"{name}.bn1", y).relu()
    y = F.conv2d(y, entries[f"{name}.conv2.weight"], padding=rate, dilation=rate)
    y = _batch_norm(entries, f"{name}.bn2", y).relu()
    y = _batch_norm(entries, f"{name}.bn3", F.conv2d(y, entries[f"{name}.conv3.weight"]))
    x = F.conv2d(x, entries[f"{name}.downsample.0.weight"], stride=stride)
    return (_batch_norm(entries, f"{name}.downsample.1", x) + y).relu()


def tiny_resnet_features(entries: Entries, image: Tensor) -> tuple[Tensor, Tensor]:
    """(conv4, conv5) of a DeepLab-v2 ResNet with one block per layer."""
    x = F.conv2d(image, entries["conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(_batch_norm(entries, "bn1", x).relu(), 3, 2, 1, ceil_mode=True)
    x = _block(entries, "layer1.0", x, 1, 1)
    conv4 = _block(entries, "layer3.0", _block(entries, "layer2.0", x, 2, 1), 1, 2)
    return conv4, _block(entries, "layer4.0", conv4, 1, 4)


def vgg_features(entries: Entries, image: Tensor) -> Tensor:
    """DeepLab-v2's VGG-16 in AdaptSegNet's numbers: three poolings, then dilated convolutions."""
    x = image
    for number in (*VGG_CONVOLUTIONS, 29, 31):
        rate = 4 if number > 28 else 2 if number > 22 else 1
        weight, bias = entries[f"features.{number}.weight"], entries[f"features.{number}.bias"]
        x = F.conv2d(x, weight, bias, padding=rate, dilation=rate).relu()
        if number in (2, 7, 14):
            x = F.max_pool2d(x, 2)
    return x
