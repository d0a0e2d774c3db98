"""Processes that share a network's weights train it as one process does."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import (
    Commands,
    read_metrics,
    recipe_of,
    run_recipe,
    train,
    write_data,
    write_recipe,
)
from safetensors.numpy import load_file

from segadapt.artefacts import read_json
from segadapt.base.compute import Compute, Precision
from segadapt.base.errors import SegadaptError
from segadapt.config import ModelConfig, ModelOptimizer
from segadapt.engine.fabric import Processes, launch
from segadapt.engine.optim import model_optimizer
from segadapt.engine.sharding import own_part, shard
from segadapt.models.build import build_segmenter

pytest.importorskip("timm")

VIT = {"backbone": "timm:test_vit", "weights": "none", "heads": "linear"}
# Plain gradient descent at a rate that keeps rounding errors from growing.
SGD = {"name": "sgd", "lr": 1e-3}
STEP = {"model": VIT, "batch_size": 4, "optimizer": SGD}
CLIPPED = STEP | {"optimizer": {**SGD, "clip_norm": 0.5}}
MIC = {"name": "mic", "things": ["car"], "block": 16, "threshold": 0.05, "alpha": 0.9}


def trained(shard: bool) -> dict[str, dict[str, Any]]:
    """All ways to touch a network; with discriminators, which are not shared."""
    masked = {**VIT, "mask_token": True}
    return {
        "minent": train("minent", **CLIPPED, shard=shard),
        "mic": train(
            MIC,
            **STEP,
            shard=shard,
            snapshots=2,
            validation={"domain": "test", "every": 3},
        ),
        "advent": train("advent", **STEP, shard=shard),
        "averaged": train(
            {"name": "source_only", "augmentation": {}, "alpha": 0.9},
            **STEP,
            shard=shard,
            target=None,
        ),
        "mean_teacher": train({"name": "mean_teacher", "threshold": 0.05}, **STEP, shard=shard),
        "tokens": train({**MIC, "hidden": "tokens"}, **STEP | {"model": masked}, shard=shard),
        "warm": train("minent", start_from="advent.checkpoint", **STEP, shard=shard),
    }


def assert_same_tensors(file: Path, expected: Path) -> None:
    one, other = load_file(expected), load_file(file)
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(other[key], one[key], rtol=0, atol=1e-6, err_msg=key)


def assert_same_stage(run: Path, expected: Path, name: str) -> None:
    (found,), (wanted,) = run.glob(f"*-{name}"), expected.glob(f"*-{name}")
    files = sorted(path.relative_to(wanted) for path in wanted.rglob("*.safetensors"))
    assert files == sorted(path.relative_to(found) for path in found.rglob("*.safetensors"))
    for file in files:
        assert_same_tensors(found / file, wanted / file)
    for a, b in zip(read_metrics(found), read_metrics(wanted), strict=True):
        losses = {key: value for key, value in b.items() if key.startswith("loss_")}
        assert {key: a[key] for key in losses} == pytest.approx(losses, rel=1e-4)
    assert read_json(found / "manifest.json")["processes"] == 2


@pytest.mark.slow
def test_two_processes_that_share_weights_train_as_one_does(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    one = run_recipe(recipe_of(trained(False)), tmp_path / "one", data)
    two = run_recipe(recipe_of(trained(True)), tmp_path / "two", data, devices=2)
    for name in trained(True):
        assert_same_stage(two, one, name)
    assert len(list((two / "2-mic").rglob("*.safetensors"))) == 6
    scores, expected = ((run / "2-mic/validation.jsonl").read_text() for run in (two, one))
    assert scores == expected


def kept_of(processes: Processes) -> tuple[int, list[int]]:
    """Numbers in a network, and in what a process keeps: weights, gradients, both moments."""
    model = build_segmenter(ModelConfig(**VIT), 11)
    whole = sum(parameter.numel() for parameter in model.parameters())
    shard([model], processes)
    optimizer = model_optimizer(model, ModelOptimizer(name="adamw"))
    image = torch.zeros(1, 3, 64, 96)
    model(image).main.sum().backward()
    optimizer.step()
    with torch.no_grad():
        model(image)  # as a teacher does, without a backward pass after it
    weights = list(model.parameters())
    gradients = [parameter.grad for parameter in weights if parameter.grad is not None]
    moments = [[x[name] for x in optimizer.state.values()] for name in ("exp_avg", "exp_avg_sq")]
    kept = [sum(own_part(x).numel() for x in kind) for kind in (weights, gradients, *moments)]
    return whole, kept


@pytest.mark.slow
def test_each_process_keeps_half_of_weights_gradients_and_moments() -> None:
    whole, kept = launch(kept_of, (), Compute(device="cpu", devices=2))
    assert kept == pytest.approx(4 * [whole / 2], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "names"), [("32-true", ("windows",)), ("bf16-mixed", ("minent", "mic"))]
)
def test_they_do_what_averaging_ones_do(
    precision: Precision, names: tuple[str, ...], tmp_path: Path
) -> None:
    """Where one process is no measure: windows are drawn in each, and sums of halves depend on how
    a batch is split."""
    data = write_data(tmp_path / "data")
    two_resolutions = {**VIT, "heads": "single", "detail": {"window": [32, 32]}}

    def recipe(shard: bool) -> dict[str, Any]:
        windows = train(MIC, **STEP | {"model": two_resolutions}, shard=shard)
        stages = {**trained(shard), "windows": windows}
        return recipe_of({name: stages[name] for name in names})

    shared, averaged = (
        run_recipe(recipe(on), tmp_path / str(on), data, devices=2, precision=precision)
        for on in (True, False)
    )
    for name in names:
        assert_same_stage(shared, averaged, name)


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False], ids=["shared-first", "whole-first"])
def test_a_stopped_training_goes_on_with_whole_weights_or_shared_ones(
    first: bool, tmp_path: Path, commands: Commands
) -> None:
    data = write_data(tmp_path / "data")
    stages = {
        shard: {"mic": train(MIC, **STEP, iterations=6, save_every=1, shard=shard)}
        for shard in (True, False)
    }
    expected = run_recipe(recipe_of(stages[False]), tmp_path / "expected", data)
    run = tmp_path / "run"
    command = commands.start(
        *("run", write_recipe(recipe_of(stages[first]), tmp_path / "recipe.yaml"), "--out", run),
        *("--data-root", data, "--device", "cpu", "--devices", 2 if first else 1),
    )
    command.wait_until(lambda: (run / "1-mic" / "state.pt").is_file(), seconds=200)
    command.send(signal.SIGINT)
    command.wait()
    assert 1 <= len(read_metrics(run / "1-mic")) < 6
    run_recipe(recipe_of(stages[not first]), run, data, devices=1 if first else 2)
    for name in ("checkpoint", "teacher"):
        file = f"1-mic/{name}.safetensors"
        assert_same_tensors(run / file, expected / file)
    assert [row["iteration"] for row in read_metrics(run / "1-mic")] == list(range(1, 7))


@pytest.mark.parametrize(
    ("settings", "devices", "told"),
    [
        ({}, 1, "stages.x.shard: shares weights among processes, and there is one"),
        (
            {"method": "clan", "model": {**VIT, "heads": "sum"}},
            2,
            "stages.x.shard: method clan needs whole weights",
        ),
        (
            {"model": {"backbone": "squeezenet1_0", "weights": "none"}},
            2,
            "stages.x.shard: squeezenet1_0 has no blocks",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused_in_a_sentence(
    settings: dict[str, Any], devices: int, told: str, tmp_path: Path
) -> None:
    stage = {**train("minent", **STEP, shard=True), **settings}
    data = write_data(tmp_path / "data")
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe_of({"x": stage}), tmp_path / "run", data, devices=devices)
    assert str(caught.value).startswith(told)
    assert not (tmp_path / "run" / "1-x").exists()
