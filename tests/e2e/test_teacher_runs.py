"""Self-training in whole runs: stopped, on two processes, and with the teacher as an output."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import (
    Commands,
    checkpoint_hashes,
    read_metrics,
    recipe_of,
    run_recipe,
    train,
    write_data,
    write_recipe,
)
from safetensors.numpy import load_file

from segadapt.base.errors import SegadaptError

RARE = {"counts": "counts.counts", "temperature": 0.5, "least_pixels": 20, "least_in_crop": 5}


def stages(iterations: int = 4) -> dict[str, Any]:
    crops = {"crop": {"size": [48, 64], "largest_share": 0.9, "tries": 3}, "rare_classes": RARE}
    # Adam's steps are as large for the last digit of a gradient as for the first.
    plain = {"name": "sgd", "lr": 2e-6}
    common = {**crops, "iterations": iterations, "batch_size": 2, "optimizer": plain}
    mic = {"name": "mic", "things": ["car"], "block": 16, "threshold": 0.05, "alpha": 0.9}
    return {
        "counts": {"stage": "class_counts", "source": "source"},
        "averaged": train(
            {"name": "source_only", "augmentation": {}, "alpha": 0.9}, **common, target=None
        ),
        "mic": train(mic, **common, target_margins=[0.1, 0.2, 0, 0]),
        "class-wise": train(
            {"name": "dacs", "weighting": "class_wise", "alpha": 0.9, "threshold": 0.05}, **common
        ),
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["averaged.teacher", "mic.checkpoint"],
            "ensembles": {"both": {"mic.checkpoint": 1, "mic.teacher": 1}},
            "workers": 0,
            "pictures": 0,
        },
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``data``, and ``run``, all of the stages on one process."""
    root = tmp_path_factory.mktemp("teacher")
    write_data(root / "data")
    run_recipe(recipe_of(stages()), root / "run", root / "data")
    return root


def test_the_teacher_is_kept_and_scored(whole: Path) -> None:
    run = whole / "run"
    for stage in ("2-averaged", "3-mic", "4-class-wise"):
        student = load_file(run / stage / "checkpoint.safetensors")
        teacher = load_file(run / stage / "teacher.safetensors")
        assert student.keys() == teacher.keys()
        assert any(not np.array_equal(student[key], teacher[key]) for key in student)
    report = json.loads((run / "5-evaluate/report.json").read_text())
    assert [x["checkpoint"] for x in report["scores"]] == ["averaged", "mic", "both"]
    rows = read_metrics(run / "3-mic")
    assert all(0 <= row["share_sure"] <= 1 for row in rows)
    assert {"loss_seg_main", "loss_mix_main", "loss_mask_main", "loss_feature"} <= rows[0].keys()


def test_two_processes_train_as_one_does(whole: Path, tmp_path: Path) -> None:
    run_recipe(recipe_of(stages()), tmp_path / "two", whole / "data", devices=2)
    for stage in ("2-averaged", "3-mic", "4-class-wise"):
        for file in ("checkpoint", "teacher"):
            one = load_file(whole / f"run/{stage}/{file}.safetensors")
            two = load_file(tmp_path / f"two/{stage}/{file}.safetensors")
            for key in one:
                np.testing.assert_allclose(two[key], one[key], rtol=0, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_training_goes_on_to_the_same_weights(
    whole: Path, tmp_path: Path, commands: Commands, number: signal.Signals
) -> None:
    recipe = recipe_of({k: v for k, v in stages(30).items() if k in ("counts", "mic")})
    path = write_recipe(recipe, tmp_path / "tiny.yaml")

    def words(out: Path) -> tuple[Any, ...]:
        return ("run", path, "--out", out, "--data-root", whole / "data", "--device", "cpu")

    assert commands.call(*words(tmp_path / "undisturbed")).exit_code == 0
    run = tmp_path / "run"
    command = commands.start(*words(run))
    command.wait_until(lambda: (run / "2-mic/state.pt").is_file())
    command.send(number)
    assert command.wait() in (130, 137)
    done = commands.call(*words(run))
    assert done.exit_code == 0 and "goes on at iteration" in done.stdout(), done.stderr()
    assert checkpoint_hashes(run) == checkpoint_hashes(tmp_path / "undisturbed")
    ours, theirs = (x / "2-mic/teacher.safetensors" for x in (run, tmp_path / "undisturbed"))
    assert ours.read_bytes() == theirs.read_bytes()


def no_things(content: dict[str, Any]) -> None:
    content["mic"]["method"] = {"name": "mic", "things": ["spaceship"]}


def no_teacher(content: dict[str, Any]) -> None:
    content["averaged"]["method"] = "source_only"


def large_crop(content: dict[str, Any]) -> None:
    content["mic"]["crop"] = {"size": [80, 64]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (no_things, "method.things: none of spaceship is a class here"),
        (no_teacher, "keeps no averaged network"),
        (large_crop, r"crop: \[80, 64\] is larger than"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_stage(
    whole: Path, tmp_path: Path, change: Any, sentence: str
) -> None:
    content = stages()
    change(content)
    with pytest.raises(SegadaptError, match=sentence):
        run_recipe(recipe_of(content), tmp_path / "run", whole / "data")
    assert not list((tmp_path / "run").rglob("metrics.jsonl"))
