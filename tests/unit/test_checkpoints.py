"""Checkpoint files of our own, and everything that must be refused."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from networks import published_name
from segadapt.base.classes import STREET_7
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint

LIGHT = ModelConfig(backbone="squeezenet1_0", weights="none", input_format="rgb_mean_std")


def light(path: Path, heads: str = "multi_level", **settings: object) -> TrainedModel:
    torch.manual_seed(0)
    config = LIGHT.model_copy(update={"heads": heads})
    model = build_segmenter(config, len(STREET_7.names))
    trained = TrainedModel(model, config, STREET_7, **{"size": (96, 128), **settings})
    save_checkpoint(path, trained)
    return trained


@pytest.mark.parametrize("heads", ["single", "multi_level", "sum"])
@pytest.mark.parametrize(("size", "oracle"), [((96, 128), False), (None, True)])
def test_round_trip(tmp_path: Path, heads: str, size: tuple[int, int] | None, oracle: bool) -> None:
    path = tmp_path / "c.safetensors"
    saved = light(path, heads, size=size, oracle=oracle)
    found = load_checkpoint(path)
    assert (found.config, found.classes) == (saved.config, STREET_7)
    assert (found.size, found.oracle) == (size, oracle)
    assert not found.model.training
    wanted = saved.model.state_dict()
    assert found.model.state_dict().keys() == wanted.keys()
    assert all(torch.equal(v, wanted[k]) for k, v in found.model.state_dict().items())
    assert sorted(x.name for x in tmp_path.iterdir()) == ["c.safetensors"]


def test_round_trip_of_a_model_in_channels_last_order(tmp_path: Path) -> None:
    model = build_segmenter(LIGHT, 7).to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "c.safetensors", TrainedModel(model, LIGHT, STREET_7, None))
    found = load_checkpoint(tmp_path / "c.safetensors").model.state_dict()
    assert all(torch.equal(v, found[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("kept", [0, 5, 100, 0.5, 0.999])
def test_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "c.safetensors"
    light(path)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    with pytest.raises(SegadaptError, match=r"c\.safetensors.*cut off"):
        load_checkpoint(path)


def test_safetensors_of_another_program_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    for metadata in (None, {"format": "pt"}, {"segadapt": "no json"}, {"segadapt": "[]"}):
        save_file({"a": torch.zeros(1)}, path, metadata)
        with pytest.raises(SegadaptError, match=r"was not written by segadapt"):
            load_checkpoint(path)


def rewritten(path: Path, **changes: object) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["segadapt"])
    save_file(load_file(path), path, {"segadapt": json.dumps(description | changes)})


def test_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    light(path)
    rewritten(path, format="segadapt-99")
    with pytest.raises(SegadaptError, match=r"segadapt-99"):
        load_checkpoint(path)


def test_model_that_does_not_fit_its_entries_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    light(path)
    single = LIGHT.model_copy(update={"heads": "single"})
    rewritten(path, model=single.model_dump())
    with pytest.raises(SegadaptError, match=r"has unknown 8 entries, first head\.aux\."):
        load_checkpoint(path)
    light(path, "single")
    rewritten(path, model=LIGHT.model_dump())
    with pytest.raises(SegadaptError, match=r"lacks 8 entries, first head\.aux\."):
        load_checkpoint(path)


FIRST_SETTINGS = {
    "attention_modules": 2,
    "dilations": [6, 12, 18, 24],
    "batch_norm": "batch",
    "weights": "none",
    "input_format": "rgb_mean_std",
}


@pytest.mark.parametrize(
    ("backbone", "heads"),
    [
        *(("squeezenet1_0", heads) for heads in ("single", "multi_level", "sum", "ancillary")),
        ("resnet18", "multi_level"),
        ("vgg16", "single"),
        ("lenet", "single"),
        ("dtn", "single"),
    ],
)
def test_file_of_version_0_1_is_read(tmp_path: Path, backbone: str, heads: str) -> None:
    """All networks had all settings then, and classifiers the published names."""
    description = {
        "format": "segadapt-2",
        "model": {"backbone": backbone, "heads": heads, **FIRST_SETTINGS},
        "classes": asdict(STREET_7),
        "size": None,
        "oracle": True,
    }
    model = build_segmenter(
        ModelConfig(backbone=backbone, heads=heads, weights="none"), len(STREET_7.names)
    )
    digits = backbone in ("lenet", "dtn")
    names = {k: published_name(k) for k in model.state_dict()}
    if digits:
        names |= {k: v.replace("layer6.", "classifier.") for k, v in names.items()}
    entries = {
        names[k]: torch.randn_like(v.float()).to(v.dtype) for k, v in model.state_dict().items()
    }
    path = tmp_path / "old.safetensors"
    save_file(entries, path, {"segadapt": json.dumps(description)})
    found = load_checkpoint(path)
    assert (found.config.backbone, found.config.heads) == (backbone, heads)
    assert found.config.input_format == "rgb_mean_std" and found.oracle
    state = found.model.state_dict()
    assert {names[k] for k in state} == entries.keys()
    assert all(torch.equal(v, entries[names[k]]) for k, v in state.items())


@pytest.mark.parametrize("name", ["c.safetensors", "c.pth"])
def test_missing_file_and_unknown_family(tmp_path: Path, name: str) -> None:
    with pytest.raises(SegadaptError, match=r"no such file"):
        load_checkpoint(tmp_path / name, "advent")
    with pytest.raises(SegadaptError, match=r"'deeplab' is unknown.*advent"):
        load_checkpoint(tmp_path / name, "deeplab")


class Payload:
    """Unpickled, it would make a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("writer", ["torch", "torch_legacy", "pickle"])
def test_file_with_code_is_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "executed"
    content = {"layer6.conv2d_list.3.weight": torch.zeros(1), "x": Payload(proof)}
    if writer == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writer == "torch")
    with pytest.raises(
        SegadaptError, match=r"evil\.pth: is damaged, or holds more than plain tensors"
    ):
        load_checkpoint(path, "advent")
    assert not proof.exists()
    if writer == "pickle":  # the payload itself works, so the test can fail
        pickle.loads(path.read_bytes())
        assert proof.exists()
