"""Several processes and other batch sizes give the results of one process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import (
    Commands,
    children,
    domains,
    is_alive,
    read_metrics,
    recipe_of,
    run_recipe,
    save,
    small_domains,
    street,
    train,
    write_camvid,
    write_recipe,
)
from safetensors.numpy import load_file

from segadapt.artefacts import read_json
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig
from segadapt.config.load import validate
from segadapt.data.order import training_order
from segadapt.engine import looking
from segadapt.models.build import build_segmenter
from segadapt.stages.context import StageContext

# Plain gradient descent at a rate that keeps rounding errors from growing; a wrong gradient would
# still show, as weights move by more than a hundred times the tolerance.
STEP = {
    "iterations": 4,
    "batch_size": 4,
    "workers": 0,
    "optimizer": {"name": "sgd", "lr": 2e-6},
}
TOLERANCE = 1e-6
TRAINED = {name: train(name, **STEP) for name in ("source_only", "minent", "advent")}
TRAINED |= {
    name: train(
        {
            "name": "pixintrada",
            "discriminator_width": 4,
            "lambda_kld": 0.1,
            "continuous": continuous,
        },
        source="target-pixels.labels",
        target=None,
        scales=(1.0, 1.5),
        **STEP,
    )
    for name, continuous in (("pixintrada", False), ("pixintrada-continuous", True))
}
TRAINED["cirn"] = train(
    {"name": "cirn", "discriminator_width": 4},
    model={"backbone": "squeezenet1_0", "weights": "none", "heads": "ancillary"},
    **STEP,
)
TRAINED["jittered"] = train("minent", jitter={"scale": (0.8, 1.25), "shift": 0.1}, **STEP)
# The two processes share its weights and those of its teacher.
TRAINED["shared"] = train(
    {"name": "dacs", "threshold": 0.05, "alpha": 0.9},
    model={"backbone": "timm:test_vit", "weights": "none", "heads": "linear"},
    **STEP | {"optimizer": {"name": "sgd", "lr": 1e-3, "clip_norm": 0.5}},
)
PIXEL_SPLITS = {
    "median": {"proportion": 0.67},
    "balanced": {"rule": "class_balanced", "portion": 0.4},
    "adaptive": {"rule": "instance_adaptive", "alpha": 0.5},
}


def inference_stages(batch_size: int) -> dict[str, dict[str, Any]]:
    """Everything that a model does after training, on images of three sizes."""
    return {
        "model": train("minent"),
        "rank": {
            "stage": "rank",
            "checkpoint": "model.checkpoint",
            "images": "mixed",
            "normalisation": "rare_classes",
            "batch_size": batch_size,
        },
        "labels": {
            "stage": "pseudo_label",
            "checkpoint": "model.checkpoint",
            "images": "rank.easy",
            "batch_size": batch_size,
        },
        "evaluate": {
            "stage": "evaluate",
            "checkpoints": ["model.checkpoint"],
            "domain": "mixed-test",
            "batch_size": batch_size,
        },
        "target-pixels": pixel_split({"proportion": 0.5}, "target", batch_size),
    } | {
        name: pixel_split(selection, "mixed", batch_size)
        for name, selection in PIXEL_SPLITS.items()
    }


def pixel_split(selection: dict[str, Any], images: str, batch_size: int) -> dict[str, Any]:
    return {
        "stage": "pixel_split",
        "checkpoint": "model.checkpoint",
        "images": images,
        "selection": selection,
        "batch_size": batch_size,
    }


def mixed_domains() -> dict[str, Any]:
    mixed = domains(
        mixed={"root": "mixed", "split": "train", "role": "target", "size": None},
        **{"mixed-test": {"root": "mixed", "split": "train", "role": "test", "size": None}},
    )
    return mixed | small_domains()


def write_uneven_data(root: Path) -> Path:
    """Of every other source image nearly all is to be ignored; ``mixed`` has three sizes."""
    for i in range(8):
        image, label = street(i, void=0.9 if i % 2 else 0.0)
        save(image, root / "rendered" / "images" / "train" / f"{i:03d}.png")
        save(label, root / "rendered" / "labels" / "train" / f"{i:03d}.png")
    write_camvid(root / "camvid", "train", range(20, 28), labelled=False, tint=30)
    write_camvid(root / "camvid", "val", range(40, 43), tint=30)
    for i in range(7):
        image, label = street(60 + i, size=((64, 96), (80, 96), (72, 64))[i % 3])
        save(image, root / "mixed" / "images" / "train" / f"{i:03d}.png")
        save(label, root / "mixed" / "labels" / "train" / f"{i:03d}.png")
    return root


def recipe(stages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return recipe_of(stages, mixed_domains())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``data``, and two runs of all stages: ``one`` process, and ``two`` from its first model."""
    folder = tmp_path_factory.mktemp("processes")
    data = write_uneven_data(folder / "data")
    run_recipe(recipe({"model": train("minent")}), folder / "one", data)
    shutil.copytree(folder / "one", folder / "two")
    stages = {**inference_stages(batch_size=2), **TRAINED}
    run_recipe(recipe(stages), folder / "one", data)
    shared = {"shared": {**TRAINED["shared"], "shard": True}}
    run_recipe(recipe({**stages, **shared}), folder / "two", data, devices=2)
    return folder


def stage(run: Path, name: str) -> Path:
    (found,) = run.glob(f"*-{name}")
    return found


def assert_same_inference(run: Path, expected: Path) -> None:
    for name, file in (
        ("rank", "split.json"),
        ("labels", "labels.json"),
        ("evaluate", "report.json"),
    ):
        assert read_json(stage(run, name) / file) == read_json(stage(expected, name) / file)
    assert (
        read_json(stage(run, "labels") / "manifest.json")["summary"]
        == read_json(stage(expected, "labels") / "manifest.json")["summary"]
    )
    pictures = {p.name: p.read_bytes() for p in (stage(run, "labels") / "labels").iterdir()}
    assert pictures == {
        p.name: p.read_bytes() for p in (stage(expected, "labels") / "labels").iterdir()
    }
    assert len(pictures) == 4
    for name in PIXEL_SPLITS:
        file = "pixel_split.json"
        found = read_json(stage(run, name) / file)
        assert found == read_json(stage(expected, name) / file)
        assert 0 < found["easy_share"] < 1
        for folder in ("labels", "domain_index"):
            written = {p.name: p.read_bytes() for p in (stage(run, name) / folder).iterdir()}
            assert len(written) == 7
            assert written == {
                p.name: p.read_bytes() for p in (stage(expected, name) / folder).iterdir()
            }


def start_of(name: str, folder: Path) -> dict[str, Any]:
    """The weights a stage began with: a function of its seed."""
    torch.manual_seed(context(folder).stage_seed(name))
    config = ModelConfig(**TRAINED[name]["model"])
    return {k: v.numpy() for k, v in build_segmenter(config, 11).state_dict().items()}


def context(folder: Path) -> StageContext:
    stages = {**inference_stages(batch_size=2), **TRAINED}
    return StageContext(validate(recipe(stages), "tiny"), folder / "one", folder / "data", seed=0)


@pytest.mark.parametrize("name", TRAINED)
def test_two_processes_train_as_one_does(name: str, folder: Path) -> None:
    one = load_file(stage(folder / "one", name) / "checkpoint.safetensors")
    two = load_file(stage(folder / "two", name) / "checkpoint.safetensors")
    assert one.keys() == two.keys()
    start = start_of(name, folder)
    for key in one:
        np.testing.assert_allclose(two[key], one[key], rtol=0, atol=TOLERANCE, err_msg=key)
    assert max(np.abs(one[key] - start[key]).max() for key in one) > 100 * TOLERANCE
    assert read_json(stage(folder / "two", name) / "manifest.json")["processes"] == 2


@pytest.mark.parametrize("name", TRAINED)
def test_two_processes_log_the_losses_of_the_whole_batch(name: str, folder: Path) -> None:
    one = read_metrics(stage(folder / "one", name))
    two = read_metrics(stage(folder / "two", name))
    assert [row["iteration"] for row in two] == [1, 2, 3, 4]
    for a, b in zip(one, two, strict=True):
        losses = {key: value for key, value in a.items() if key.startswith("loss_")}
        assert {key: b[key] for key in losses} == pytest.approx(losses, rel=1e-4)


def test_shares_of_the_two_processes_are_uneven(folder: Path) -> None:
    """The comparison above would not notice a plain mean over processes otherwise."""
    domain = context(folder).domain("source", labelled=True)
    counts = [(domain.label(i) != 255).sum() for i in range(len(domain))]
    seed = context(folder).stage_seed("minent")
    shares = [
        [sum(counts[drawn.image] for drawn in part) for part in (batch[:2], batch[2:])]
        for batch in training_order((len(domain),), 4, seed, 0, 4, flip=True)
    ]
    assert any(max(share) > 2 * min(share) for share in shares)


def test_two_processes_rank_label_and_score_as_one_does(folder: Path) -> None:
    assert_same_inference(folder / "two", folder / "one")


def test_batch_size_does_not_change_inference(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, which is shown a batch at once; a CPU sees one image at a time."""
    monkeypatch.setattr(looking, "on_cpu", lambda batch_size, workers: (batch_size, workers))
    run = tmp_path / "run"
    shutil.copytree(stage(folder / "one", "model"), run / "1-model")
    run_recipe(recipe(inference_stages(batch_size=3)), run, folder / "data")
    assert_same_inference(run, folder / "one")


def test_error_in_one_of_two_processes_is_told_in_one_sentence(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(folder / "data", tmp_path / "data")
    broken = data / "rendered" / "images" / "train" / "003.png"
    os.truncate(broken, 200)
    with pytest.raises(SegadaptError) as caught:
        run_recipe(
            recipe({"minent": train("minent", iterations=20, save_every=1)}),
            tmp_path / "run",
            data,
            devices=2,
        )
    assert str(caught.value).startswith(f"{broken}: the image file cannot be decoded")
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "which", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_stopped_command_of_two_processes_saves_its_state(
    which: signal.Signals, folder: Path, tmp_path: Path, commands: Commands
) -> None:
    endless = train("minent", iterations=100_000, save_every=100_000)
    run = tmp_path / "run"
    command = commands.start(
        "run",
        write_recipe(recipe({"minent": endless}), tmp_path / "recipe.yaml"),
        "--out",
        run,
        "--data-root",
        folder / "data",
        "--device",
        "cpu",
        "--devices",
        2,
    )
    metrics = run / "1-minent" / "metrics.jsonl"
    command.wait_until(lambda: metrics.is_file() and metrics.read_bytes().count(b"\n") > 2)
    command.send(which)
    assert command.wait() in (128 + signal.SIGINT, 128 + which)
    assert len(command.stderr().strip().splitlines()) == 1, command.stderr()
    done = json.loads(metrics.read_text().splitlines()[-1])["iteration"]
    assert f"minent: stopped after iteration {done} of 100000" in command.stderr()
    assert (run / "1-minent" / "state.pt").is_file()


def test_killed_command_of_two_processes_leaves_none_behind(
    folder: Path, tmp_path: Path, commands: Commands
) -> None:
    endless = train("minent", iterations=100_000)
    run = tmp_path / "run"
    command = commands.start(
        "run",
        write_recipe(recipe({"minent": endless}), tmp_path / "recipe.yaml"),
        "--out",
        run,
        "--data-root",
        folder / "data",
        "--device",
        "cpu",
        "--devices",
        2,
    )
    metrics = run / "1-minent" / "metrics.jsonl"
    command.wait_until(metrics.is_file)
    started = children(command.pid)
    assert len(started) >= 2
    command.send(signal.SIGKILL)
    command.wait()
    end = time.monotonic() + 10
    while any(is_alive(pid) for pid in started):
        assert time.monotonic() < end, "a process works on without its parent"
        time.sleep(0.01)
