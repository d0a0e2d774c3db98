"""What every backbone promises: shapes, levels, which parameters are trained, batch norm."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from segadapt.config import ModelConfig
from segadapt.models import digits
from segadapt.models.base import Segmenter
from segadapt.models.initialise import BACKBONES as ALL
from segadapt.models.initialise import build_segmenter

CLASSES = 4
# Classifiers of whole images have a contract of their own, in test_classifiers.py.
BACKBONES = [name for name in ALL if name not in digits.BACKBONES]
LARGE = {"resnet101", "resnet152"}  # shapes of these are computed without numbers
ONE_LEVEL = {"vgg16"}
EVERY = pytest.mark.parametrize("backbone", BACKBONES)
EVERY_WITH_HEADS = pytest.mark.parametrize(
    ("backbone", "heads"),
    [
        (backbone, heads)
        for backbone in BACKBONES
        for heads in ("single", "multi_level", "sum")
        if heads != "multi_level" or backbone not in ONE_LEVEL
    ],
)


def build(backbone: str, device: str, heads: str | None = None, **settings: object) -> Segmenter:
    """A model with all levels that its backbone has, if ``heads`` does not say otherwise."""
    torch.manual_seed(0)
    heads = heads or ("single" if backbone in ONE_LEVEL else "multi_level")
    config = ModelConfig(backbone=backbone, weights="none", heads=heads, **settings)
    with torch.device(device):
        return build_segmenter(config, CLASSES)


@EVERY_WITH_HEADS
def test_logits_are_an_eighth_of_the_image_and_aux_is_there_iff_multi_level(
    backbone: str, heads: str
) -> None:
    model = build(backbone, "meta", heads).eval()
    for height, width in ((65, 65), (128, 96), (97, 161)):
        output = model(torch.empty(2, 3, height, width, device="meta"))
        assert output.main.shape[:2] == (2, CLASSES)
        assert abs(output.main.shape[2] - height / 8) <= 2
        assert abs(output.main.shape[3] - width / 8) <= 2
        assert (output.aux is not None) == (heads == "multi_level")
        if output.aux is not None:
            assert output.aux.shape[:2] == (2, CLASSES)
            assert abs(output.aux.shape[2] - height / 8) <= 2


@pytest.mark.parametrize("backbone", [x for x in BACKBONES if x not in LARGE])
def test_forward_and_backward_are_finite(backbone: str) -> None:
    model = build(backbone, "cpu").train()
    torch.manual_seed(1)
    levels = [x for x in model(torch.randn(1, 3, 65, 65)) if x is not None]
    assert len(levels) == (1 if backbone in ONE_LEVEL else 2)
    assert all(torch.isfinite(x).all() and x.dtype == torch.float32 for x in levels)
    sum(x.square().mean() for x in levels).backward()
    for name, parameter in (*model.trunk_parameters(), *model.classifier_parameters()):
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@EVERY_WITH_HEADS
def test_trunk_and_classifiers_partition_the_trainable_parameters(
    backbone: str, heads: str
) -> None:
    model = build(backbone, "meta", heads)
    trunk = dict(model.trunk_parameters())
    classifiers = dict(model.classifier_parameters())
    trainable = {k: p for k, p in model.named_parameters() if p.requires_grad}
    assert not trunk.keys() & classifiers.keys()
    assert trunk.keys() | classifiers.keys() == trainable.keys()
    assert all({**trunk, **classifiers}[k] is p for k, p in trainable.items())
    wanted = {"layer6"} if heads == "single" else {"layer5", "layer6"}
    assert {k.split(".")[0] for k in classifiers} == wanted
    assert trunk and not any(k.split(".")[0] in ("layer5", "layer6") for k in trunk)


@EVERY
def test_batch_norm_scale_and_shift_are_frozen_and_all_else_is_trained(backbone: str) -> None:
    model = build(backbone, "meta")
    norms = {
        f"{name}.{part}"
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d)
        for part in ("weight", "bias")
    }
    assert bool(norms) == backbone.startswith("resnet")
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (name not in norms), name


@pytest.mark.parametrize("backbone", [x for x in BACKBONES if x not in LARGE])
@pytest.mark.parametrize("setting", ["batch", "frozen"])
def test_statistics_move_in_training_unless_frozen(backbone: str, setting: str) -> None:
    model = build(backbone, "cpu", "single", batch_norm=setting)
    model.train()
    assert model.training
    before = {k: v.clone() for k, v in model.named_buffers()}
    with torch.no_grad():
        model(torch.randn(1, 3, 33, 33) + 3)
    changed = [k for k, v in model.named_buffers() if not torch.equal(before[k], v)]
    has_statistics = any(k.endswith("running_mean") for k in before)
    assert bool(changed) == (has_statistics and setting == "batch")
    model.eval()
    assert not any(module.training for module in model.modules())


@EVERY
def test_largest_feature_stride_is_eight(backbone: str) -> None:
    """Eight more rows of the image give one more row of features."""
    model = build(backbone, "meta", "single")
    heights = [
        model(torch.empty(1, 3, h, 128, device="meta")).main.shape[2] for h in range(96, 137, 8)
    ]
    assert [b - a for a, b in itertools.pairwise(heights)] == [1] * 5


@pytest.mark.parametrize("backbone", [x for x in BACKBONES if x not in LARGE])
def test_two_summed_classifiers_see_the_same_features(backbone: str) -> None:
    """The prediction is the sum: without either classifier, the other one's remains."""
    model = build(backbone, "cpu", "sum", dilations=(2, 5)).eval()
    image = torch.randn(1, 3, 65, 65)
    with torch.no_grad():
        both = model(image).main
        found = []
        for layer in (model.layer5, model.layer6):
            kept = {k: v.clone() for k, v in layer.state_dict().items()}
            assert kept["conv2d_list.1.weight"].shape[2:] == (3, 3) and len(kept) == 4
            for parameter in layer.parameters():
                parameter.zero_()
            found.append(model(image).main)
            layer.load_state_dict(kept)
    assert found[0].abs().max() > 0 and found[1].abs().max() > 0
    torch.testing.assert_close(found[0] + found[1], both)


@EVERY
def test_entries_have_torchvision_names_in_the_trunk(backbone: str) -> None:
    import torchvision

    with torch.device("meta"):
        theirs = getattr(torchvision.models, backbone)(weights=None).state_dict()
    model = build(backbone, "meta")
    own = model.state_dict()
    head = ("fc.", "classifier.")
    theirs = model.rename_pretrained(theirs)
    wanted = {k: v.shape for k, v in theirs.items() if not k.startswith(head)}
    wanted |= {k: own[k].shape for k in model.never_pretrained}
    classifiers = ("layer5.", "layer6.")
    assert {k: v.shape for k, v in own.items() if not k.startswith(classifiers)} == wanted
