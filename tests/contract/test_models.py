"""What every trunk promises with every head that goes with it: shapes, parameters, any size."""

from __future__ import annotations

import itertools

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from segadapt.base.errors import SegadaptError
from segadapt.base.parts import HEADS, TRUNKS, Room
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.heads.base import find_head
from segadapt.models.segmenter import Segmenter
from segadapt.models.trunks.base import find_trunk

CLASSES = 4
ALL_OURS = [name for name in TRUNKS.names() if name != "timm:NAME"]
OURS = [name for name in ALL_OURS if not find_trunk(name).for_boxes]
# Four families of timm's: a ResNet, one with depthwise convolutions, a modern one, a ViT.
TIMM = (
    "timm:resnet10t",
    "timm:tf_efficientnet_lite0",
    "timm:convnext_atto",
    "timm:vit_tiny_patch16_224",
)
DILATED = {"timm:resnet10t", "timm:tf_efficientnet_lite0", "timm:convnext_atto"}
TRUNK_NAMES = [*OURS, *TIMM]
ALL_TRUNKS = [*ALL_OURS, *TIMM]
LARGE = {"resnet50", "resnet101", "resnet152", "vgg16"}  # these are computed without numbers
SIZES = ((65, 97), (64, 96), (47, 129))
BATCH_NORMED = ("resnet", "timm:resnet", "timm:tf", "dtn")


def build(backbone: str, heads: str, device: str = "cpu", **settings: object) -> Segmenter:
    torch.manual_seed(0)
    config = ModelConfig(backbone=backbone, weights="none", heads=heads, **settings)
    with torch.device(device):
        return build_segmenter(config, CLASSES)


def goes_together(backbone: str, heads: str) -> bool:
    config = ModelConfig(backbone=backbone, weights="none", heads=heads)
    with torch.device("meta" if backbone in ALL_OURS else "cpu"):
        trunk = find_trunk(backbone)(backbone, config.section("backbone"))
    return find_head(heads).misfit(trunk) is None


EVERY_PAIR = [(b, h) for b in ALL_TRUNKS for h in HEADS.names() if goes_together(b, h)]
# Heads of boxes give other things: test_detectors.py.
PAIRS = [(b, h) for b, h in EVERY_PAIR if h != "ssd"]
LIGHT_PAIRS = [(b, h) for b, h in PAIRS if b not in LARGE]
EVERY_TRUNK = pytest.mark.parametrize("backbone", TRUNK_NAMES)


def sizes(model: Segmenter) -> tuple[tuple[int, int], ...]:
    side = model.trunk.side
    return SIZES if side is None else ((side, side),)


def device_of(backbone: str) -> str:
    return "meta" if backbone in LARGE else "cpu"


def test_each_trunk_and_each_head_goes_with_something() -> None:
    assert {b for b, _ in PAIRS} == set(TRUNK_NAMES)
    assert {b for b, _ in EVERY_PAIR} == set(ALL_TRUNKS)
    assert {h for _, h in EVERY_PAIR} == set(HEADS.names())
    assert set(HEADS.names()) == {
        *("single", "multi_level", "sum", "ancillary", "linear", "daformer", "vit", "ssd")
    }
    assert {h for b, h in EVERY_PAIR if b == "ssd_vgg16"} == {"ssd"}
    whole = {h for b, h in PAIRS if b == "lenet"}
    assert whole == {"single", "linear"}
    assert {h for b, h in EVERY_PAIR if b == "vgg16"} == set(HEADS.names()) - {"multi_level"}


@pytest.mark.parametrize(
    ("backbone", "heads"),
    [(b, h) for b in ALL_TRUNKS for h in HEADS.names() if (b, h) not in EVERY_PAIR],
)
def test_what_does_not_go_together_is_one_sentence(backbone: str, heads: str) -> None:
    with pytest.raises(SegadaptError, match=rf"^model\.heads: {backbone} .*set heads to") as caught:
        build(backbone, heads, "meta" if backbone in ALL_OURS else "cpu")
    assert len(str(caught.value).splitlines()) == 1


@EVERY_TRUNK
def test_maps_have_the_channels_and_strides_that_the_trunk_says(backbone: str) -> None:
    model = build(backbone, "single", device_of(backbone)).eval()
    trunk = model.trunk
    assert len(trunk.channels) == len(trunk.strides)
    assert trunk.middle is None or 0 <= trunk.middle < len(trunk.channels) - 1
    for height, width in sizes(model):
        image = torch.zeros(2, 3, height, width, device=device_of(backbone))
        maps = model.features(image)
        assert [x.shape[:2] for x in maps] == [(2, channels) for channels in trunk.channels]
        for x, stride in zip(maps, trunk.strides, strict=True):
            down = -(-height // trunk.multiple) * trunk.multiple
            assert abs(x.shape[2] - down / stride) <= 2, (backbone, stride)


def test_a_prediction_does_without_the_auxiliary_classifier() -> None:
    model = build("squeezenet1_0", "multi_level").eval()
    image = torch.rand(1, 3, 65, 97)
    expected = model(image).main
    model.head.aux = None  # whatever asked for it would fail
    assert torch.equal(model.main_scores(image), expected)


def slow_if_alike(backbone: str, heads: str) -> object:
    """The deepest ResNets are ResNet-50 with more blocks; one head of theirs is enough."""
    alike = backbone in ("resnet101", "resnet152") and heads != "multi_level"
    return pytest.param(backbone, heads, marks=pytest.mark.slow if alike else ())


@pytest.mark.parametrize(("backbone", "heads"), [slow_if_alike(b, h) for b, h in PAIRS])
def test_scores_of_any_size_of_image(backbone: str, heads: str) -> None:
    device = device_of(backbone)
    model = build(backbone, heads, device).eval()
    for height, width in sizes(model):
        image = torch.rand(2, 3, height, width, device=device)
        with torch.no_grad():
            output = model(image)
        assert output.main.shape[:2] == (2, CLASSES)
        assert output.main.shape[2] <= height and output.main.shape[3] <= width
        assert (output.aux is not None) == ("aux" in model.head.level_names)
        assert (output.summands is not None) == model.head.is_sum
        if height % model.trunk.multiple or width % model.trunk.multiple:
            assert output.main.shape[2:] == (height, width)
    with torch.no_grad():
        main = model.main_scores(image)  # of the last image, which most have to pad
    assert main.shape == output.main.shape and main.dtype == output.main.dtype
    assert main.is_meta or torch.equal(main, output.main)


@pytest.mark.parametrize("heads", ["vit", "daformer", "sum"])
def test_scores_of_a_padded_image_are_those_of_the_padded_one_where_the_image_is(
    heads: str,
) -> None:
    model = build("timm:vit_tiny_patch16_224", heads).eval()
    image = torch.randn(1, 3, 61, 90)
    by_hand = nn.functional.pad(image, (0, 6, 0, 3))  # to 64x96, multiples of 16
    with torch.no_grad():
        ours, whole = model(image), model(by_hand)
        large = nn.functional.interpolate(whole.main, (64, 96), mode="bilinear", align_corners=True)
        torch.testing.assert_close(ours.main, large[..., :61, :90])
        assert ours.main.shape == (1, CLASSES, 61, 90)
        if ours.summands is not None:
            torch.testing.assert_close(ours.summands[0] + ours.summands[1], ours.main)
        assert model.last_features(image).shape == (1, 192, 4, 6)
        assert model.last_features(by_hand[..., :33, :17]).shape == (1, 192, 2, 1)


@pytest.mark.parametrize(("backbone", "heads"), LIGHT_PAIRS)
def test_gradients_are_finite_and_reach_every_parameter(backbone: str, heads: str) -> None:
    model = build(backbone, heads).train()
    torch.manual_seed(1)
    height, width = sizes(model)[0]
    output = model(torch.randn(2, 3, height, width))
    levels = [x for x in (output.main, output.aux) if x is not None]
    assert all(torch.isfinite(x).all() and x.dtype == torch.float32 for x in levels)
    sum(x.square().mean() for x in levels).backward()
    for name, parameter, _ in (*model.trunk_parameters(), *model.head_parameters()):
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("backbone", "heads"), EVERY_PAIR)
def test_trunk_and_head_partition_the_trainable_parameters(backbone: str, heads: str) -> None:
    model = build(backbone, heads, device_of(backbone))
    trunk = {f"trunk.{x.name}": x.parameter for x in model.trunk_parameters()}
    head = {f"head.{x.name}": x.parameter for x in model.head_parameters()}
    trainable = {k: p for k, p in model.named_parameters() if p.requires_grad}
    assert trunk and head
    assert {**trunk, **head}.keys() == trainable.keys()
    assert all({**trunk, **head}[k] is p for k, p in trainable.items())


def norm_entries(model: Segmenter) -> set[str]:
    return {
        f"{name}.{part}"
        for name, module in model.trunk.named_modules()
        if isinstance(module, nn.BatchNorm2d)
        for part in ("weight", "bias")
    }


@EVERY_TRUNK
def test_batch_norm_of_the_published_trunks_is_not_trained_and_all_else_is(backbone: str) -> None:
    model = build(backbone, "single", device_of(backbone))
    norms = norm_entries(model)
    assert bool(norms) == backbone.startswith(BATCH_NORMED)
    for name, parameter in model.trunk.named_parameters():
        kept = name in norms and backbone.startswith("resnet")
        assert parameter.requires_grad == (not kept), name


@pytest.mark.parametrize("backbone", ["timm:convnext_atto", "timm:vit_tiny_patch16_224"])
def test_batch_norm_that_a_network_lacks_cannot_be_frozen(backbone: str) -> None:
    with pytest.raises(SegadaptError, match=r"^model\.batch_norm: .*has no batch norm; leave"):
        build(backbone, "linear", batch_norm="frozen")


@pytest.mark.parametrize(
    ("backbone", "setting"),
    [
        *((name, "batch") for name in ("resnet18", *TIMM)),
        *(
            (name, "frozen")
            for name in ("resnet18", "timm:resnet10t", "timm:tf_efficientnet_lite0")
        ),
    ],
)
def test_statistics_move_in_training_unless_frozen(backbone: str, setting: str) -> None:
    model = build(backbone, "single", batch_norm=setting)
    model.train()
    assert model.training
    before = {k: v.clone() for k, v in model.named_buffers()}
    with torch.no_grad():
        model(torch.randn(2, 3, 64, 64) + 3)
    changed = [k for k, v in model.named_buffers() if not torch.equal(before[k], v)]
    has_statistics = any(k.endswith("running_mean") for k in before)
    assert bool(changed) == (has_statistics and setting == "batch")
    if setting == "frozen":
        norms = norm_entries(model)
        assert not any(p.requires_grad for k, p in model.trunk.named_parameters() if k in norms)
    model.eval()
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("backbone", [x for x in OURS if find_trunk(x).side is None])
def test_largest_feature_stride_of_ours_is_eight(backbone: str) -> None:
    """Eight more rows of the image give one more row of features."""
    model = build(backbone, "single", "meta")
    heights = [
        model(torch.empty(1, 3, h, 128, device="meta")).main.shape[2] for h in range(96, 137, 8)
    ]
    assert [b - a for a, b in itertools.pairwise(heights)] == [1] * 5


@pytest.mark.parametrize("backbone", sorted(DILATED))
def test_output_stride_of_timm_networks_is_what_is_asked_for(backbone: str) -> None:
    model = build(backbone, "single", output_stride=8).eval()
    assert model.trunk.strides[-1] == model.trunk.multiple == 8
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 96, 128)).main.shape[2:] == (12, 16)


def test_output_stride_of_a_vit_is_refused_in_a_sentence() -> None:
    with pytest.raises(SegadaptError, match=r"^model\.output_stride: .*leave it out$"):
        build("timm:vit_tiny_patch16_224", "vit", output_stride=8)


def test_unknown_networks_are_told() -> None:
    with pytest.raises(SegadaptError, match=r"timm has no network 'resnet1010'"):
        build("timm:resnet1010", "single")
    with pytest.raises(
        ValidationError, match=r"'resnet1010': unknown; there are.*timm:NAME.*Class"
    ):
        build("resnet1010", "single")
    with pytest.raises(ValidationError, match=r"'timm:': cannot be imported"):
        build("timm:", "single")


@pytest.mark.parametrize("backbone", [x for x in TRUNK_NAMES if x not in LARGE and x in OURS])
def test_two_summed_classifiers_see_the_same_features(backbone: str) -> None:
    """The prediction is the sum: without either classifier, the other one's remains."""
    if (backbone, "sum") not in PAIRS:
        return
    model = build(backbone, "sum", dilations=(2, 5)).eval()
    image = torch.randn(1, 3, 65, 65)
    with torch.no_grad():
        both = model(image).main
        found = []
        for layer in (model.head.second, model.head.main):
            kept = {k: v.clone() for k, v in layer.state_dict().items()}
            assert kept["conv2d_list.1.weight"].shape[2:] == (3, 3) and len(kept) == 4
            for parameter in layer.parameters():
                parameter.zero_()
            found.append(model(image).main)
            layer.load_state_dict(kept)
    assert found[0].abs().max() > 0 and found[1].abs().max() > 0
    torch.testing.assert_close(found[0] + found[1], both)


@pytest.mark.parametrize("backbone", [x for x in OURS if find_trunk(x).library == "torchvision"])
def test_entries_have_torchvision_names_in_the_trunk(backbone: str) -> None:
    import torchvision

    with torch.device("meta"):
        theirs = getattr(torchvision.models, backbone)(weights=None).state_dict()
    trunk = build(backbone, "single", "meta").trunk
    own = trunk.state_dict()
    head = ("fc.", "classifier.")
    theirs = trunk.rename_pretrained(theirs)
    wanted = {k: v.shape for k, v in theirs.items() if not k.startswith(head)}
    wanted |= {k: own[k].shape for k in trunk.never_pretrained()}
    assert {k: v.shape for k, v in own.items()} == wanted


@pytest.mark.parametrize("backbone", TIMM)
def test_entries_have_timm_names_in_the_trunk(backbone: str) -> None:
    import timm

    theirs = timm.create_model(backbone.partition(":")[2], num_classes=0).state_dict()
    trunk = build(backbone, "single").trunk
    named = trunk.rename_pretrained(theirs)
    own = trunk.state_dict()
    assert own.keys() <= named.keys()
    assert all(own[k].shape == named[k].shape for k in own)


@EVERY_TRUNK
def test_weight_decay_spares_norms_biases_and_embeddings_of_timm_alone(backbone: str) -> None:
    model = build(backbone, "linear" if backbone in TIMM else "single", device_of(backbone))
    for name, parameter, decays in model.trunk_parameters():
        spared = backbone in TIMM and (
            parameter.ndim <= 1 or "pos_embed" in name or "token" in name
        )
        assert decays == (not spared), name
    assert all(decays for _, _, decays in model.head_parameters())


@pytest.mark.parametrize("room", [TRUNKS, HEADS])
def test_settings_are_known_without_the_class_and_are_the_class_own(room: Room) -> None:
    for name in room.names():
        assert room.settings(name) is room.find(name).Config, name


def test_no_trunk_and_head_have_a_setting_of_the_same_name() -> None:
    for trunk, head in itertools.product(TRUNKS.names(), HEADS.names()):
        both = set(TRUNKS.settings(trunk).model_fields) & set(HEADS.settings(head).model_fields)
        assert not both, (trunk, head)
