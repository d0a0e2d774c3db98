"""Published checkpoints of every family: what they predict, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from published_files import (
    TINY,
    Entries,
    classify,
    resnet_file,
    tiny_resnet_features,
    vgg_features,
    vgg_file,
)
from torch import Tensor

from networks import published_name, resnet
from segadapt.base.classes import CITYSCAPES_19, STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files import checkpoints
from segadapt.models.files.checkpoints import (
    TrainedModel,
    load_checkpoint,
    save_checkpoint,
    save_published,
)
from segadapt.models.files.conversion import from_published
from segadapt.models.files.published import PROGRAMS, RESNETS
from segadapt.models.segmenter import Segmenter

MULTI_LEVEL = {"layer5": 1024, "layer6": 2048}
INPUTS = {
    "advent": MULTI_LEVEL,
    "intrada": MULTI_LEVEL,
    "adaptsegnet": MULTI_LEVEL,
    "clan": {"layer5": 2048, "layer6": 2048},
    "bdl": {"layer5": 2048},
    "crst": {"layer5": 2048},
}
EVERY = pytest.mark.parametrize("family", INPUTS)
FIRST_TWO = (6, 12)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files with one block per layer count as those of a ResNet-101 of that depth."""

    def build(config: ModelConfig, num_classes: int) -> Segmenter:
        if config.backbone != "resnet101":
            return build_segmenter(config, num_classes)
        settings = {"dilations": config.dilations, "batch_norm": config.batch_norm}
        return resnet("resnet101", num_classes, config.heads, blocks=TINY, **settings)

    monkeypatch.setitem(RESNETS, TINY, "resnet101")
    monkeypatch.setattr(checkpoints, "build_segmenter", build)


def saved(path: Path, entries: Entries) -> Path:
    torch.save(entries, path)
    return path


def image(height: int = 129, width: int = 209) -> Tensor:
    """Features of it are 17 by 27: every dilation reaches something."""
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(8))


@torch.no_grad()
def expected(family: str, entries: Entries) -> tuple[Tensor, Tensor | None]:
    conv4, conv5 = tiny_resnet_features(entries, image())
    if family in ("advent", "intrada"):
        return classify(entries, "layer6", conv5), classify(entries, "layer5", conv4)
    if family == "adaptsegnet":
        rates = FIRST_TWO
        return classify(entries, "layer6", conv5, rates), classify(entries, "layer5", conv4, rates)
    if family == "clan":
        return classify(entries, "layer5", conv5) + classify(entries, "layer6", conv5), None
    return classify(entries, "layer5", conv5), None


def assert_predicts(trained: TrainedModel, wanted: tuple[Tensor, Tensor | None]) -> None:
    with torch.no_grad():
        found = trained.model(image())
    for ours, theirs in zip((found.main, found.aux), wanted, strict=True):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.std()))


@EVERY
def test_file_predicts_what_its_program_computes(tmp_path: Path, family: str) -> None:
    entries = resnet_file(INPUTS[family])
    trained = load_checkpoint(saved(tmp_path / "a.pth", entries), family)
    assert_predicts(trained, expected(family, entries))
    assert trained.classes == CITYSCAPES_19 and trained.config.backbone == "resnet101"
    assert not trained.oracle and not trained.model.training
    # CRST's program feeds torchvision's normalisation, at the images' own size.
    crst = family == "crst"
    assert trained.config.input_format == ("rgb_mean_std" if crst else "bgr_mean")
    assert trained.size == (None if crst else (512, 1024))


def test_families_of_one_layout_differ_visibly() -> None:
    entries = resnet_file(MULTI_LEVEL)
    advent, adaptsegnet = (expected(x, entries)[0] for x in ("advent", "adaptsegnet"))
    assert (advent - adaptsegnet).std() > 0.3 * advent.std()


@EVERY
def test_file_without_counters_and_with_the_data_parallel_prefix(
    tmp_path: Path, family: str
) -> None:
    entries = resnet_file(INPUTS[family])
    old = {f"module.{k}": v for k, v in entries.items() if not k.endswith("num_batches_tracked")}
    torch.save({"state_dict": old, "epoch": 3}, tmp_path / "a.pth")
    trained = load_checkpoint(tmp_path / "a.pth", family)
    assert_predicts(trained, expected(family, entries))


def test_vgg_file(tmp_path: Path) -> None:
    entries = vgg_file()
    path = saved(tmp_path / "vgg.pth", entries)
    with torch.no_grad():
        features = vgg_features(entries, image())
        for family, rates in (("adaptsegnet", FIRST_TWO), ("advent", (6, 12, 18, 24))):
            trained = load_checkpoint(path, family)
            assert trained.config.backbone == "vgg16"
            assert_predicts(trained, (classify(entries, "classifier", features, rates), None))
    save_published(tmp_path / "back.pth", trained, "advent")
    assert_same(torch.load(tmp_path / "back.pth", weights_only=True), entries)
    with pytest.raises(SegadaptError, match=r"VGG-16's features.*unlike files of clan"):
        load_checkpoint(path, "clan")
    with pytest.raises(SegadaptError, match=r"does not tell.*--family adaptsegnet"):
        load_checkpoint(path)


def assert_same(found: Entries, wanted: Entries) -> None:
    assert found.keys() == wanted.keys()
    for key, value in found.items():
        assert value.dtype == wanted[key].dtype and torch.equal(value, wanted[key]), key


@EVERY
def test_there_and_back_is_the_same_file(tmp_path: Path, family: str) -> None:
    entries = resnet_file(INPUTS[family])
    trained = load_checkpoint(saved(tmp_path / "a.pth", entries), family)
    save_checkpoint(tmp_path / "ours.safetensors", trained)
    save_published(tmp_path / "b.pth", load_checkpoint(tmp_path / "ours.safetensors"), family)
    if family == "adaptsegnet":  # what its program never uses is not kept
        for key in entries:
            if ".conv2d_list.2." in key or ".conv2d_list.3." in key:
                entries[key] = torch.zeros_like(entries[key])
    assert_same(torch.load(tmp_path / "b.pth", weights_only=True), entries)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a.pth", "b.pth", "ours.safetensors"]


def test_family_is_found_where_entries_tell_it(tmp_path: Path) -> None:
    clan = resnet_file(INPUTS["clan"])
    assert_predicts(load_checkpoint(saved(tmp_path / "c.pth", clan)), expected("clan", clan))
    both = resnet_file(MULTI_LEVEL)
    single = {k: v for k, v in both.items() if not k.startswith("layer5.")}
    trained = load_checkpoint(saved(tmp_path / "s.pth", single))
    assert trained.config.heads == "single"
    assert_predicts(trained, (expected("advent", both)[0], None))


@pytest.mark.parametrize(
    ("inputs", "choices"),
    [(MULTI_LEVEL, ("advent", "intrada", "adaptsegnet")), ({"layer5": 2048}, ("bdl", "crst"))],
)
def test_family_must_be_said_where_entries_do_not_tell(
    tmp_path: Path, inputs: dict[str, int], choices: tuple[str, ...]
) -> None:
    with pytest.raises(SegadaptError, match=r"a\.pth: .*does not tell") as caught:
        load_checkpoint(saved(tmp_path / "a.pth", resnet_file(inputs)))
    said = [x for x in PROGRAMS if f"--family {x}" in str(caught.value)]
    assert sorted(said) == sorted(choices)


@pytest.mark.parametrize(
    ("inputs", "family", "looks"),
    [
        (MULTI_LEVEL, "clan", "layer5 on conv4's features and layer6 on conv5's"),
        (MULTI_LEVEL, "bdl", "layer5 on conv4's"),
        ({"layer6": 2048}, "adaptsegnet", "layer6 as its only classifier"),
        ({"layer6": 2048}, "crst", "layer6 as its only classifier"),
        (INPUTS["clan"], "advent", "layer5 and layer6 on the same features"),
        ({"layer5": 2048}, "adaptsegnet", "layer5 as its only classifier"),
        ({"layer5": 2048}, "clan", "layer5 as its only classifier"),
    ],
)
def test_wrong_family_is_refused_and_the_file_described(
    tmp_path: Path, inputs: dict[str, int], family: str, looks: str
) -> None:
    path = saved(tmp_path / "a.pth", resnet_file(inputs, classes=2))
    with pytest.raises(SegadaptError) as caught:
        load_checkpoint(path, family)
    message = str(caught.value)
    assert f"a.pth: has {looks}" in message and f"unlike files of {family}; say" in message
    assert len(message.splitlines()) == 1


def fcn8s() -> Entries:
    return {"conv1_1.weight": torch.zeros(64, 3, 3, 3), "score_fr.weight": torch.zeros(19, 8, 1, 1)}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"a": torch.zeros(1)}, "has not the entries of a published DeepLab-v2"),
        ({"layer6": torch.zeros(1)}, "has not the entries of a published DeepLab-v2"),
        ({"layer6.conv2d_list.0.weight": torch.tensor(1.0)}, "has not the entries"),
        ({"features.0.weight": torch.zeros(1)}, "has not the entries"),
        ({"Scale.conv1.weight": torch.zeros(1)}, "initialisation file.*model.weights"),
        (fcn8s(), "holds an FCN-8s"),
        (resnet_file(INPUTS["clan"], 2, (1, 2, 1, 1)), r"its ResNet has \(1, 2, 1, 1\) blocks"),
        (
            {k: v for k, v in resnet_file(INPUTS["clan"], 2).items() if "list.1.bias" not in k},
            "does not fit its model: lacks 2 entries, first layer5.conv2d_list.1.bias",
        ),
        (
            resnet_file(INPUTS["clan"], 2) | {"layer6": torch.zeros(1)},
            "does not fit its model: has unknown 1 entries",
        ),
    ],
)
def test_file_of_something_else_is_described(tmp_path: Path, entries: Entries, says: str) -> None:
    for family in (None, "clan"):
        with pytest.raises(SegadaptError, match=rf"a\.pth: .*{says}"):
            load_checkpoint(saved(tmp_path / "a.pth", entries), family)


def test_full_size_layouts_are_those_of_the_released_program() -> None:
    recorded = Path(__file__).parents[1] / "golden/reference/deeplabv2_resnet101_state_dict.json"
    shapes = json.loads(recorded.read_text())
    entries = {k: torch.empty(s, device="meta") for k, s in shapes.items()}
    found = from_published(entries, "advent", Path("advent.pth"))
    assert (found.config.backbone, found.config.heads) == ("resnet101", "multi_level")
    assert {published_name(k): list(v.shape) for k, v in found.tensors.items()} == shapes


@pytest.mark.parametrize(("number", "sixteen"), [(16, True), (7, False)])
def test_number_of_classes_is_the_files(tmp_path: Path, number: int, sixteen: bool) -> None:
    path = saved(tmp_path / "a.pth", resnet_file(INPUTS["clan"], number))
    classes = load_checkpoint(path).classes
    assert len(set(classes.colours)) == len(set(classes.names)) == number
    if sixteen:  # SYNTHIA's, which lack terrain, truck and train
        lacking = set(CITYSCAPES_19.names) - set(classes.names)
        assert lacking == {"terrain", "truck", "train"}
        assert classes.names == tuple(x for x in CITYSCAPES_19.names if x not in lacking)
    else:
        assert classes.names[0] == "class 0"


def light(backbone: str = "resnet101", **settings: object) -> TrainedModel:
    config = ModelConfig(backbone=backbone, weights="none", **settings)
    return TrainedModel(checkpoints.build_segmenter(config, 7), config, STREET_7, (64, 96))


@pytest.mark.parametrize(
    ("settings", "family", "says"),
    [
        ({"backbone": "squeezenet1_0"}, "advent", "advent has no squeezenet1_0.*fits none"),
        ({"backbone": "resnet18"}, "advent", "advent has no resnet18"),
        ({}, "clan", "clan has no resnet101 with heads: multi_level.*fits advent, intrada$"),
        ({}, None, "say whose layout.*--family; this model fits advent, intrada$"),
        ({"heads": "single"}, None, "fits advent, intrada, bdl$"),
        ({}, "adaptsegnet", r"sums dilations \(6, 12\), this model \(6, 12, 18, 24\)"),
        ({"dilations": (6, 12)}, "advent", "sums dilations.*fits adaptsegnet$"),
        ({"input_format": "rgb_mean_std"}, "advent", "feeds bgr_mean.*fits none$"),
        ({}, "deeplab", "family 'deeplab' is unknown"),
    ],
)
def test_model_that_a_program_would_misread_is_not_written(
    tmp_path: Path, settings: dict[str, object], family: str | None, says: str
) -> None:
    with pytest.raises(SegadaptError, match=says):
        save_published(tmp_path / "a.pth", light(**settings), family)
    assert not list(tmp_path.iterdir())


def test_two_branches_are_written_as_four_with_zeros(tmp_path: Path) -> None:
    trained = light(dilations=(6, 12))
    save_published(tmp_path / "a.pth", trained, "adaptsegnet")
    entries = torch.load(tmp_path / "a.pth", weights_only=True)
    for name, channels in MULTI_LEVEL.items():
        for i in (2, 3):
            assert entries[f"{name}.conv2d_list.{i}.weight"].shape == (7, channels, 3, 3)
            assert not entries[f"{name}.conv2d_list.{i}.weight"].any()
            assert not entries[f"{name}.conv2d_list.{i}.bias"].any()
    trained.model.eval()
    assert_predicts(trained, expected("adaptsegnet", entries))
