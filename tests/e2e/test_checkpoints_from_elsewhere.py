"""Checkpoints that others trained, with own classes, and what their programs saved around them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import domains, recipe_of, run_recipe, train
from safetensors import safe_open
from safetensors.torch import save_file

from segadapt.base.classes import CAMVID_11
from segadapt.base.errors import SegadaptError
from segadapt.commands.convert import convert_checkpoint
from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import (
    TrainedModel,
    load_checkpoint,
    save_checkpoint,
    save_published,
)
from segadapt.models.files.tensors import read_tensors

STATE = {"layer1.weight": torch.arange(3.0), "layer1.bias": torch.ones(2)}


def bare(path: Path) -> None:
    torch.save(STATE, path)


def data_parallel(path: Path) -> None:
    torch.save({f"module.{k}": v for k, v in STATE.items()}, path)


def beside_arguments(path: Path) -> None:
    arguments = argparse.Namespace(lr=1e-3, name="theirs", steps=[1, 2])
    torch.save({"model": STATE, "args": arguments, "best": np.float64(0.4), "epoch": 3}, path)


def nested(path: Path) -> None:
    torch.save({"checkpoint": 1, "model_state": {"state_dict": STATE}, "optimizer": {}}, path)


def under_net(path: Path) -> None:
    torch.save({"net": STATE, "iteration": 7}, path)


@pytest.mark.parametrize("write", [bare, data_parallel, beside_arguments, nested, under_net])
def test_weights_are_found_within_what_programs_save(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "a.pth")
    found = read_tensors(tmp_path / "a.pth")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[key], STATE[key]) for key in STATE)


class Harmful:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    torch.save({"model": STATE, "args": Harmful(tmp_path / "made")}, tmp_path / "a.pth")
    with pytest.raises(SegadaptError, match="holds more than plain tensors"):
        read_tensors(tmp_path / "a.pth")
    assert not (tmp_path / "made").exists()


def test_a_state_that_holds_itself_ends(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    state["state_dict"] = state
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(SegadaptError, match="holds no state dict"):
        read_tensors(tmp_path / "a.pth")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in ADVENT's layout that predicts CamVid's eleven classes and does not say so."""
    folder = tmp_path_factory.mktemp("theirs")
    config = ModelConfig(backbone="resnet101", weights="none", heads="multi_level")
    torch.manual_seed(0)
    model = build_segmenter(config, 11)
    save_published(folder / "a.pth", TrainedModel(model, config, CAMVID_11, None), "advent")
    return folder / "a.pth"


def test_classes_are_named_from_data(theirs: Path, tmp_path: Path) -> None:
    convert_checkpoint(theirs, tmp_path / "plain.safetensors", "advent")
    assert load_checkpoint(tmp_path / "plain.safetensors").classes.names != CAMVID_11.names
    convert_checkpoint(theirs, tmp_path / "named.safetensors", "advent", "camvid")
    assert load_checkpoint(tmp_path / "named.safetensors").classes.names == CAMVID_11.names
    with pytest.raises(SegadaptError, match=r"--classes-from cityscapes: has .*predicts 11"):
        convert_checkpoint(theirs, tmp_path / "x.safetensors", "advent", "cityscapes")


def test_a_convert_stage_names_them_after_a_domain(
    theirs: Path, data: Path, tmp_path: Path
) -> None:
    (data / "theirs.pth").symlink_to(theirs)
    stages = {
        "theirs": {
            "stage": "convert",
            "file": "theirs.pth",
            "family": "advent",
            "classes_from": "test",
        },
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["theirs.checkpoint"],
            "workers": 0,
            "pictures": 0,
        },
    }
    run = run_recipe(recipe_of(stages), tmp_path / "run", data)
    report = json.loads((run / "2-evaluate/report.json").read_text())
    assert report["classes"] == list(CAMVID_11.names)
    seven = domains(test={"classes": "street7"})
    with pytest.raises(SegadaptError, match=r"classes_from: domain 'test' has 7 classes"):
        run_recipe(recipe_of(stages, seven), tmp_path / "other", data)
    assert train  # the harness' other builders are not needed


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ours") / "a.safetensors"
    config = ModelConfig(backbone="squeezenet1_0", weights="none")
    model = build_segmenter(config, 11)
    save_checkpoint(path, TrainedModel(model, config, CAMVID_11, (64, 96)))
    return path


def odd_values() -> list[Any]:
    return [0, -1, 10**12, 1.5, "text", None, [], {}, [0, 0], ["a", "b"], [300, -1, 2], True]


PLACES = [
    ("size",),
    ("oracle",),
    ("format",),
    ("classes",),
    ("classes", "names"),
    ("classes", "colours"),
    ("classes", "colours", 0),
    ("classes", "rare"),
    ("classes", "subsets"),
    ("model",),
    ("model", "backbone"),
    ("model", "heads"),
    ("model", "input_format"),
    ("model", "dilations"),
    ("model", "no_such_setting"),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_odd_metadata_are_refused_in_a_sentence_or_harmless(
    ours: Path, tmp_path: Path, place: tuple[Any, ...]
) -> None:
    with safe_open(ours, framework="pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()["segadapt"])
    for value in odd_values():
        changed = json.loads(json.dumps(description))
        inside = changed
        for key in place[:-1]:
            inside = inside[key]
        inside[place[-1]] = value
        path = tmp_path / "odd.safetensors"
        save_file(tensors, path, {"segadapt": json.dumps(changed)})
        try:
            found = load_checkpoint(path)
        except SegadaptError as error:
            assert str(path) in str(error) and len(str(error)) < 700
            continue
        assert len(found.classes.names) == 11
        assert all(0 <= c <= 255 for colour in found.classes.colours for c in colour)
