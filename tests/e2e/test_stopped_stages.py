"""Stages that look at images one by one can be stopped at any moment, and go on where they were."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import (
    Commands,
    children,
    recipe_of,
    run_recipe,
    save,
    street,
    train,
    write_data,
    write_recipe,
)

IMAGES = 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``data`` with thirty target images, ``run`` with a trained network, ``whole``: all done."""
    root = tmp_path_factory.mktemp("trained")
    write_data(root / "data")
    for i in range(IMAGES):
        image, _ = street(i)
        save(
            np.repeat(np.repeat(image, 4, 0), 4, 1), root / f"data/camvid/images/train/{i:03d}.png"
        )
    run_recipe(recipe_of({"first": train("source_only")}), root / "run", root / "data")
    run_recipe(recipe(), root / "whole", root / "data")
    return root


def recipe() -> dict[str, Any]:
    one = {"checkpoint": "first.checkpoint", "workers": 0, "batch_size": 1}
    return recipe_of(
        {
            "first": train("source_only"),
            "rank": {"stage": "rank", **one, "images": "target", "gallery": 0},
            "labels": {"stage": "pseudo_label", **one, "images": "rank.easy"},
            "split": {"stage": "pixel_split", **one, "images": "target", "gallery": 0},
        }
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(("stage", "file"), [("2-rank", "split.json"), ("3-labels", "labels.json")])
def test_it_goes_on_where_it_was(
    trained: Path,
    tmp_path: Path,
    commands: Commands,
    stage: str,
    file: str,
    number: signal.Signals,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained / "run", run)
    path = write_recipe(recipe(), tmp_path / "tiny.yaml")
    words = ("run", path, "--out", run, "--data-root", trained / "data", "--device", "cpu")
    command = commands.start(*words)
    kept = run / stage / "so-far/0.jsonl"
    command.wait_until(lambda: kept.is_file() and kept.read_text().count("\n") > 5)
    command.send(number)
    assert command.wait() in (130, 137, 143)
    if number != signal.SIGKILL:
        assert "stopped; the same command goes on" in command.stderr()
        assert len(command.stderr().strip().splitlines()) == 1
    on = commands.call(*words)
    assert on.exit_code == 0, on.stderr()
    assert f"{stage}: goes on, " in on.stdout()
    assert (run / stage / file).read_bytes() == (trained / "whole" / stage / file).read_bytes()
    assert not list(run.rglob("so-far"))
    for label in (trained / "whole/3-labels/labels").iterdir():
        assert (run / "3-labels/labels" / label.name).read_bytes() == label.read_bytes()


def test_a_split_of_pixels_asks_for_no_scores_twice(
    trained: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained / "whole", run)
    shutil.rmtree(run / "4-split")
    path = write_recipe(recipe(), tmp_path / "tiny.yaml")
    words = ("run", path, "--out", run, "--data-root", trained / "data", "--device", "cpu")
    command = commands.start(*words)
    scores = run / "4-split/scores"
    command.wait_until(lambda: len(list(scores.glob("*.npz"))) > 5)
    command.send(signal.SIGKILL)
    command.wait()
    before = {x: x.stat().st_mtime_ns for x in scores.glob("*.npz")}
    command = commands.start(*words)
    command.wait_until(lambda: (run / "4-split/labels").is_dir())
    after = {x: x.stat().st_mtime_ns for x in before}  # labels are written while they are there
    assert command.wait() == 0, command.stderr()
    assert after == before
    assert not scores.exists()
    whole = trained / "whole/4-split"
    files = [whole / "pixel_split.json", *whole.rglob("*.png")]
    assert len(files) == 1 + 2 * IMAGES
    for file in files:
        assert (run / "4-split" / file.relative_to(whole)).read_bytes() == file.read_bytes()


def test_predictions_that_were_written_stay(
    trained: Path, tmp_path: Path, commands: Commands
) -> None:
    command = commands.start(
        *("predict", trained / "run/1-first/checkpoint.safetensors"),
        *(trained / "data/camvid/images/train", "--out", tmp_path / "out", "--device", "cpu"),
    )
    command.wait_until(lambda: len(list((tmp_path / "out").rglob("*.png"))) > 9)
    command.send(signal.SIGINT)
    assert command.wait() == 130
    assert "stopped; what was written before stays" in command.stderr()


def test_schedulers_that_signal_those_who_draw_too(tmp_path: Path, commands: Commands) -> None:
    run = tmp_path / "run"
    command = commands.start("run", "demo", "--out", run, "--device", "cpu")
    command.wait_until(lambda: len(list(run.rglob("*.png"))) > 3)
    for pid in (*children(command.pid), command.pid):
        os.kill(pid, signal.SIGTERM)
    assert command.wait() in (130, 143)
    assert len(command.stderr().strip().splitlines()) == 1, command.stderr()
    assert "stopped; the same command goes on" in command.stderr()
