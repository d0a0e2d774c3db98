"""Bad input ends in one sentence that says what, where and what to do, before any training."""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from harness import domains, recipe_of, run_recipe, save, street, train, write_recipe
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import camvid
from segadapt.runs.pipeline import run as run_path

Change = Callable[[Path, dict[str, Any]], None]


def refused(data: Path, tmp_path: Path, recipe: dict[str, Any], **arguments: Any) -> str:
    """The sentence with which a run is refused."""
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe, tmp_path / "run", data, **arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1, message
    assert len(message) < 600, message
    return message


def nothing_trained(tmp_path: Path) -> bool:
    return not list((tmp_path / "run").rglob("metrics.jsonl"))


def two_stages(**settings: Any) -> dict[str, Any]:
    """A good first stage, so that a late check of the second would show in its metrics."""
    return recipe_of({"first": train("source_only"), "second": train("advent", **settings)})


def no_data(data: Path, recipe: dict[str, Any]) -> None:
    shutil.rmtree(data)


def no_target(data: Path, recipe: dict[str, Any]) -> None:
    shutil.rmtree(data / "camvid")


def no_split(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["target"]["split"] = "trian"


def unlabelled_source(data: Path, recipe: dict[str, Any]) -> None:
    (data / "rendered" / "labels" / "train" / "002.png").unlink()


def unknown_dataset(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["target"]["dataset"] = "camvidd"


def unknown_class_map(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["source"]["classes"] = "street8"


def other_classes(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["target"]["classes"] = "street7"


def tiny_size(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["target"]["size"] = [16, 96]


def second(**settings: Any) -> Change:
    def change(data: Path, recipe: dict[str, Any]) -> None:
        recipe["stages"]["second"] |= settings

    return change


def model(**settings: Any) -> Change:
    return second(model={"backbone": "squeezenet1_0", "weights": "none", **settings})


def weights(content: bytes | None, name: str = "weights.pth") -> Change:
    def change(data: Path, recipe: dict[str, Any]) -> None:
        model(weights=name)(data, recipe)
        if content is not None:
            (data / name).write_bytes(content)

    return change


def weights_of_another_backbone(data: Path, recipe: dict[str, Any]) -> None:
    model(weights="weights.pth")(data, recipe)
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), data / "weights.pth")


BEFORE_TRAINING: dict[str, tuple[Change, list[str]]] = {
    "no data root": (no_data, ["domain 'source'", "rendered", "does not exist", "--data-root"]),
    "no target folder": (no_target, ["domain 'target'", "camvid", "--data-root"]),
    "unknown split": (no_split, ["images/trian"]),
    "label file missing": (unlabelled_source, ["domain 'source'", "1 of 6", "002.png", "add"]),
    "unknown dataset": (unknown_dataset, ["'camvidd'", "camvid, carla, cityscapes", "folder"]),
    "unknown class map": (unknown_class_map, ["'street8'", "there are camvid11, street7"]),
    "different classes": (
        other_classes,
        ["stages.second", "'source' has 11 classes", "'target' has 7", "domains.*.classes"],
    ),
    "images too small": (tiny_size, ["domains.target.size", "[16, 96]", "at least 32"]),
    "unknown method": (second(method={"name": "advnet"}), ["advnet", "there are adaptsegnet"]),
    "unknown method key": (
        second(method={"name": "advent", "lambda_advv": 1}),
        ["stages.second.method.lambda_advv", "unknown key", "lambda_adv,"],
    ),
    "wrong method value": (
        second(method={"name": "advent", "gan": "wasserstein"}),
        ["stages.second.method.gan", "'vanilla' or 'least_squares'"],
    ),
    "unknown backbone": (
        model(backbone="resnet1010"),
        ["model.backbone", "'resnet1010'", "resnet101"],
    ),
    "one classifier where two are needed": (
        second(method={"name": "cirn", "discriminator_width": 4}),
        ["stages.second.model.heads", "needs two classifiers", "ancillary"],
    ),
    "start from another network": (
        second(
            model={"backbone": "squeezenet1_0", "weights": "none", "heads": "single"},
            start_from="first.checkpoint",
        ),
        ["stages.second.start_from", "heads 'multi_level'", "'single'", "must be equal"],
    ),
    "two levels of VGG-16": (
        model(backbone="vgg16", heads="multi_level"),
        ["stages.second.model", "vgg16 has one level", "heads to single"],
    ),
    "weights missing": (weights(None), ["weights.pth", "no such file"]),
    "weights corrupt": (
        weights(b"\x80\x02 no weights"),
        ["weights.pth", "more than plain tensors"],
    ),
    "weights a text": (
        weights(b"<html>Not found</html>"),
        ["weights.pth", "more than plain tensors"],
    ),
    "weights empty": (weights(b""), ["weights.pth", "more than plain tensors"]),
    "safetensors corrupt": (
        weights(b"\x10\0\0\0\0\0\0\0{garbage", "weights.safetensors"),
        ["weights.safetensors", "not a readable safetensors file"],
    ),
    "weights of another backbone": (
        weights_of_another_backbone,
        ["weights.pth", "squeezenet1_0", "model.weights"],
    ),
}


@pytest.mark.parametrize("case", BEFORE_TRAINING)
def test_found_before_any_training(case: str, data: Path, tmp_path: Path) -> None:
    change, words = BEFORE_TRAINING[case]
    recipe = two_stages()
    change(data, recipe)
    message = refused(data, tmp_path, recipe)
    for word in words:
        assert word in message
    assert nothing_trained(tmp_path)


def test_batch_must_be_shared_evenly_by_the_processes(data: Path, tmp_path: Path) -> None:
    message = refused(data, tmp_path, two_stages(batch_size=3), devices=2)
    assert "stages.first.batch_size" not in message
    assert "stages.second.batch_size: 3 images cannot be shared by 2 processes" in message
    assert nothing_trained(tmp_path)


def test_target_is_required_by_adapting_methods(data: Path, tmp_path: Path) -> None:
    message = refused(data, tmp_path, two_stages(target=None))
    assert "stages.second.target: is required by method advent" in message
    assert nothing_trained(tmp_path)


def test_device_that_is_not_there(data: Path, tmp_path: Path) -> None:
    from segadapt.config.load import validate

    for device in ("gpu", "cuda:x", "cpu:1", "cuda", "cuda:99"):
        if device == "cuda" and torch.cuda.is_available():
            continue
        with pytest.raises(SegadaptError, match=f"--device {device}"):
            run_path(validate(two_stages(), "x"), tmp_path / "run", data, device=device)


def test_recipe_file_of_that_name_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match="recipe 'advnet': is neither a file nor a shipped"):
        run_path("advnet", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_unknown_key_of_a_recipe_file_is_told_with_its_path(tmp_path: Path) -> None:
    file = write_recipe(two_stages(iterationss=7), tmp_path / "recipe.yaml")
    with pytest.raises(SegadaptError, match=r"stages\.second\.iterationss: unknown key"):
        run_path(str(file), tmp_path / "run")


def test_run_folder_that_is_a_file(data: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    assert "--out" in refused(data, tmp_path, two_stages())


def test_too_little_disk_space_is_noticed_at_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**40, 2**40 - 1000, 1000))
    message = refused(data, tmp_path, two_stages())
    assert f"{tmp_path / 'run'}: 0.0 GiB are free" in message and "--out" in message
    assert nothing_trained(tmp_path)


def test_disk_full_while_a_state_is_written_then_room_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of({"advent": train("advent")})
    expected = run_recipe(recipe, tmp_path / "expected", data)
    save_, calls = torch.save, []

    def fails_the_second_time(value: Any, file: Any) -> None:
        calls.append(file)
        if len(calls) == 2:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save_(value, file)

    monkeypatch.setattr(torch, "save", fails_the_second_time)
    message = refused(data, tmp_path, recipe)
    state = tmp_path / "run" / "1-advent" / "state.pt"
    assert message.startswith(f"{state}: the training state cannot be written")
    assert "No space left" in message and "free some disk space" in message
    assert torch.load(state, weights_only=True)["iteration"] == 2, "the state before is kept"
    assert not state.with_name("state.pt.partial").exists()
    run_recipe(recipe, tmp_path / "run", data)
    assert (tmp_path / "run" / "1-advent" / "checkpoint.safetensors").read_bytes() == (
        expected / "1-advent" / "checkpoint.safetensors"
    ).read_bytes()


def test_disk_full_elsewhere_is_a_sentence_too(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "labels/000.png")

    recipe = two_stages()
    recipe["stages"]["labels"] = {
        "stage": "pseudo_label",
        "checkpoint": "first.checkpoint",
        "images": "target",
    }
    monkeypatch.setattr(Image.Image, "save", full)
    message = refused(data, tmp_path, recipe)
    assert "labels/000.png" in message and "No space left" in message


@pytest.mark.parametrize("workers", [0, 1])
def test_unreadable_image_met_during_training(workers: int, data: Path, tmp_path: Path) -> None:
    broken = data / "camvid" / "images" / "train" / "003.png"
    os.truncate(broken, 200)
    message = refused(data, tmp_path, recipe_of({"a": train("minent", workers=workers)}))
    assert message.startswith(f"{broken}: the image file cannot be decoded")
    assert message.endswith("or remove it before the next run")


def test_label_id_outside_of_the_map(data: Path, tmp_path: Path) -> None:
    wrong = data / "rendered" / "labels" / "train" / "004.png"
    ids = np.array(Image.open(wrong))
    ids[10, 10] = 77
    save(ids, wrong)
    message = refused(data, tmp_path, recipe_of({"a": train("source_only")}))
    assert message.startswith(f"{wrong}: label id 77 is not in the class map 'camvid11'")
    assert "0 to 11, 255" in message


def test_colour_label_is_refused(data: Path, tmp_path: Path) -> None:
    wrong = data / "rendered" / "labels" / "train" / "004.png"
    save(np.zeros((64, 96, 3), np.uint8), wrong)
    message = refused(data, tmp_path, recipe_of({"a": train("source_only")}))
    assert message.startswith(f"{wrong}: a label file of this data set must have one channel")


def test_image_and_label_of_different_size_where_none_is_given(data: Path, tmp_path: Path) -> None:
    wrong = data / "rendered" / "labels" / "train" / "001.png"
    save(street(1, size=(64, 80))[1], wrong)
    own_sizes = domains(source={"size": None})
    message = refused(data, tmp_path, recipe_of({"a": train("source_only")}, own_sizes))
    assert message.startswith(f"{wrong}: is 64x80 (height x width)")
    assert "its image" in message and "64x96" in message


def test_different_image_sizes_in_one_batch(data: Path, tmp_path: Path) -> None:
    image, label = street(9, size=(80, 96))
    save(image, data / "rendered" / "images" / "train" / "005.png")
    save(label, data / "rendered" / "labels" / "train" / "005.png")
    own_sizes = domains(source={"size": None})
    message = refused(data, tmp_path, recipe_of({"a": train("source_only")}, own_sizes))
    assert "different sizes" in message and "batch_size to 1" in message
    assert "005.png is 80x96" in message
    assert nothing_trained(tmp_path)
    run_recipe(
        recipe_of({"a": train("source_only", batch_size=1)}, own_sizes), tmp_path / "one", data
    )


def diverging(**settings: Any) -> dict[str, Any]:
    optimizer = {"name": "sgd", "lr": 1e30}
    return recipe_of({"hot": train("minent", optimizer=optimizer, **settings)})


@pytest.fixture
def any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that are refused today, for trainings that diverge at once."""
    monkeypatch.setattr("segadapt.base.section.LARGEST", math.inf)


@pytest.mark.usefixtures("any_rate")
def test_loss_that_is_not_finite_any_more(data: Path, tmp_path: Path) -> None:
    message = refused(data, tmp_path, diverging())
    assert message.startswith("hot: iteration 2: ")
    assert "became non-finite" in message
    assert "optimizer.lr" in message and "--redo" in message
    assert not (tmp_path / "run" / "1-hot" / "checkpoint.safetensors").exists()


@pytest.mark.usefixtures("any_rate")
def test_weights_that_are_not_finite_are_never_saved(data: Path, tmp_path: Path) -> None:
    """The losses of the only iteration were still finite; its update was not."""
    recipe = diverging(iterations=1)
    recipe["stages"]["hot"]["optimizer"] |= {"lr": 3e38, "classifier_factor": 1.0}
    message = refused(data, tmp_path, recipe)
    assert message.startswith("hot: iteration 1: the weights of model became non-finite")
    assert not (tmp_path / "run" / "1-hot" / "state.pt").exists()


def test_normalisation_needs_rare_classes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = camvid.CLASS_MAPS["camvid11"]
    common = replace(own, classes=replace(own.classes, rare=()))
    monkeypatch.setitem(camvid.CLASS_MAPS, "camvid11", common)
    recipe = recipe_of(
        {
            "advent": train("advent"),
            "rank": {
                "stage": "rank",
                "checkpoint": "advent.checkpoint",
                "images": "target",
                "normalisation": "rare_classes",
            },
        }
    )
    assert "marks no class as rare" in refused(data, tmp_path, recipe)
    assert nothing_trained(tmp_path)
