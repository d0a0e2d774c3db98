"""What every classifier of whole images promises, and the layouts of CyCADA's two."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from segadapt.base.classes import DIGITS_10
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter, check_weights
from segadapt.models.segmenter import Segmenter
from segadapt.models.trunks.base import find_trunk
from segadapt.tasks.classification import ClassificationTask
from segadapt.tasks.of_classes import task_of

BACKBONES = ("lenet", "dtn")
EVERY = pytest.mark.parametrize("backbone", BACKBONES)


def build(backbone: str) -> Segmenter:
    torch.manual_seed(0)
    config = ModelConfig(backbone=backbone, heads="single", weights="none")
    return build_segmenter(config, 10)


def images(backbone: str, number: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    side = find_trunk(backbone).side
    assert side is not None
    return torch.rand(number, 3, side, side, generator=generator) * 2 - 1


@EVERY
def test_predictions_are_maps_of_one_pixel(backbone: str) -> None:
    model = build(backbone).eval()
    output = model(images(backbone))
    assert output.main.shape == (4, 10, 1, 1) and output.aux is None
    maps = model.features(images(backbone))
    assert [x.shape[2:] for x in maps] == [(1, 1)]
    assert torch.equal(model.head(maps).main, output.main)


@EVERY
def test_gradients_reach_every_parameter(backbone: str) -> None:
    model = build(backbone).train()
    task = task_of(DIGITS_10)
    assert isinstance(task, ClassificationTask)
    (level,) = task.levels(model, images(backbone))
    label = torch.tensor([1, 2, 255, 4], dtype=torch.uint8).view(4, 1, 1)
    loss = task.supervised_loss(level, label)
    scores = level.logit[:, :, 0, 0]
    wanted = nn.functional.cross_entropy(scores[[0, 1, 3]], torch.tensor([1, 2, 4]))
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@EVERY
def test_trunk_and_classifier_partition_the_parameters(backbone: str) -> None:
    model = build(backbone)
    trunk = {f"trunk.{x.name}" for x in model.trunk_parameters()}
    classifier = {f"head.{x.name}" for x in model.head_parameters()}
    assert trunk | classifier == {name for name, _ in model.named_parameters()}
    assert classifier == {"head.main.2.weight", "head.main.2.bias"}


def test_lenet_has_the_released_layout() -> None:
    shapes = {k: tuple(v.shape) for k, v in build("lenet").state_dict().items() if "weight" in k}
    assert shapes == {
        "trunk.conv_params.0.weight": (20, 1, 5, 5),
        "trunk.conv_params.3.weight": (50, 20, 5, 5),
        "trunk.fc_params.weight": (500, 800),
        "head.main.2.weight": (10, 500),
    }


def test_dtn_has_the_released_layout() -> None:
    shapes = {k: tuple(v.shape) for k, v in build("dtn").state_dict().items() if "weight" in k}
    assert {k: v for k, v in shapes.items() if len(v) > 1} == {
        "trunk.conv_params.0.weight": (64, 3, 5, 5),
        "trunk.conv_params.4.weight": (128, 64, 5, 5),
        "trunk.conv_params.8.weight": (256, 128, 5, 5),
        "trunk.fc_params.0.weight": (512, 4096),
        "head.main.2.weight": (10, 512),
    }


def test_grey_images_reach_lenet_unchanged() -> None:
    model = build("lenet").eval()
    grey = images("lenet")[:, :1].expand(-1, 3, -1, -1)
    wanted = model.trunk.fc_params(model.trunk.conv_params(grey[:, :1]).flatten(1))
    torch.testing.assert_close(model.features(grey)[0][:, :, 0, 0], wanted)


@EVERY
def test_settings_of_segmenters_are_refused(backbone: str) -> None:
    with pytest.raises(SegadaptError, match=f"{backbone} sees an image as a whole"):
        build_segmenter(ModelConfig(backbone=backbone, heads="multi_level"), 10)
    with pytest.raises(ValidationError, match=f"unknown key; a model of {backbone}"):
        ModelConfig(backbone=backbone, heads="single", batch_norm="frozen")
    config = ModelConfig(backbone=backbone, heads="single", weights="torchvision")
    with pytest.raises(SegadaptError, match=rf"torchvision has no weights of {backbone}; set none"):
        check_weights(config, Path())
