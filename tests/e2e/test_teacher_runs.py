"""Self-training in whole runs: stopped, on two processes, and with the teacher as an output."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import (
    HEIGHT,
    WIDTH,
    Commands,
    checkpoint_hashes,
    domains,
    read_metrics,
    recipe_of,
    run_recipe,
    train,
    write_camvid,
    write_data,
    write_recipe,
)
from safetensors.numpy import load_file

from segadapt.base.errors import SegadaptError
from segadapt.models.trial import Trial

DOMAINS = domains(
    more={"root": "more", "split": "train", "role": "source"},
    others={"root": "others", "split": "train", "role": "target"},
)
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
        "two-resolutions": train(
            {"name": "mic", "things": ["car"], "block": 16, "threshold": 0.05, "alpha": 0.9},
            **common
            | {
                "model": {
                    "backbone": "squeezenet1_0",
                    "heads": "single",
                    "weights": "none",
                    "detail": {"window": [32, 32]},
                }
            },
        ),
        "more-counts": {"stage": "class_counts", "source": "more"},
        "mixed": train(
            {"name": "dacs", "alpha": 0.9, "threshold": 0.05},
            **common
            | {
                "source": {"source": 3, "more": 1},
                "target": ["target", "others"],
                "rare_classes": {**RARE, "counts": ["counts.counts", "more-counts.counts"]},
                "snapshots": 2,
                "validation": {"domain": "test", "every": 3},
            },
        ),
        "chosen": {
            "stage": "select",
            "snapshots": "mixed.teacher_snapshots",
            "images": "target",
            "workers": 0,
        },
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["averaged.teacher", "mic.checkpoint"],
            "selections": ["chosen.selection"],
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
    write_camvid(root / "data/more", "train", range(60, 64))
    write_camvid(root / "data/others", "train", range(70, 73), labelled=False, tint=60)
    run_recipe(recipe_of(stages(), DOMAINS), root / "run", root / "data")
    return root


def test_the_teacher_is_kept_and_scored(whole: Path) -> None:
    run = whole / "run"
    for stage in ("2-averaged", "3-mic", "4-class-wise"):
        student = load_file(run / stage / "checkpoint.safetensors")
        teacher = load_file(run / stage / "teacher.safetensors")
        assert student.keys() == teacher.keys()
        assert any(not np.array_equal(student[key], teacher[key]) for key in student)
    report = json.loads((run / "9-evaluate/report.json").read_text())
    assert [x["checkpoint"] for x in report["scores"]] == ["averaged", "mic", "both"]
    # Their snapshots can be chosen from, and are scored as the teacher's.
    (chosen,) = report["selections"]
    assert chosen["output"] == "teacher_snapshots"
    assert [x["iteration"] for x in chosen["snapshots"]] == [2, 4]
    last = load_file(run / "7-mixed/teacher.safetensors")
    kept = load_file(run / "7-mixed/teacher_snapshots/0000004.safetensors")
    assert all(np.array_equal(last[key], kept[key]) for key in last)
    rows = read_metrics(run / "3-mic")
    assert all(0 <= row["share_sure"] <= 1 for row in rows)
    assert {"loss_seg_main", "loss_mix_main", "loss_mask_main", "loss_feature"} <= rows[0].keys()


def test_validation_is_shown_and_changes_nothing(whole: Path, tmp_path: Path) -> None:
    lines = (whole / "run/7-mixed/validation.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["iteration"] for row in rows] == [3, 4]
    content = stages()
    del content["mixed"]["validation"]
    names = ("counts", "more-counts", "mixed")
    without = {name: content[name] for name in names}
    run = run_recipe(recipe_of(without, DOMAINS), tmp_path / "run", whole / "data")
    ours = load_file(whole / "run/7-mixed/checkpoint.safetensors")
    theirs = load_file(run / "3-mixed/checkpoint.safetensors")
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    # What it saw has no part in the result, which stays an honest one.
    report = json.loads((whole / "run/9-evaluate/report.json").read_text())
    assert not any(x["oracle"] for x in report["scores"])


def test_the_page_shows_what_was_learned_from(whole: Path) -> None:
    text = (whole / "run/report.html").read_text()
    for words in (
        "What MIC learned from",
        "Mixed labels",
        "Masked",
        "Classes that images were drawn for",
        "Share of the target’s pixels",
        "nothing is chosen by it",
    ):
        assert words in text, words
    drawn = json.loads((whole / "run/7-mixed/drawn_classes.json").read_text())["classes"]
    assert sum(row["drawn"] for row in drawn) == 4 * 2
    folder = whole / "run/3-mic/examples"
    rows = json.loads((folder / "examples.json").read_text())["rows"]
    assert len(rows) == 2 and all((folder / x["file"]).is_file() for row in rows for x in row)


def test_a_network_is_tried_on_crops_where_it_sees_no_more(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def record(config: Any, number: int, size: tuple[int, int], batch_size: int) -> Trial:
        tried.append(size)
        return Trial(1, 0.0, 0, 1)

    monkeypatch.setattr("segadapt.stages.train.check.try_network", record)
    content = stages()
    names = ("counts", "more-counts", "mixed")
    run_recipe(
        recipe_of({name: content[name] for name in names}, DOMAINS), tmp_path, whole / "data"
    )
    # Two sources and two targets in crops, and the domain of validation whole.
    assert tried[:5] == [(48, 64)] * 4 + [(HEIGHT, WIDTH)]


def test_two_processes_train_as_one_does(whole: Path, tmp_path: Path) -> None:
    run_recipe(recipe_of(stages(), DOMAINS), tmp_path / "two", whole / "data", devices=2)
    for stage in ("2-averaged", "3-mic", "4-class-wise", "7-mixed"):
        for file in ("checkpoint", "teacher"):
            one = load_file(whole / f"run/{stage}/{file}.safetensors")
            two = load_file(tmp_path / f"two/{stage}/{file}.safetensors")
            for key in one:
                np.testing.assert_allclose(two[key], one[key], rtol=0, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("mic", signal.SIGTERM),
        pytest.param("two-resolutions", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("mic", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_training_goes_on_to_the_same_weights(
    whole: Path, tmp_path: Path, commands: Commands, stage: str, number: signal.Signals
) -> None:
    recipe = recipe_of({k: v for k, v in stages(30).items() if k in ("counts", stage)})
    path = write_recipe(recipe, tmp_path / "tiny.yaml")

    def words(out: Path) -> tuple[Any, ...]:
        return ("run", path, "--out", out, "--data-root", whole / "data", "--device", "cpu")

    assert commands.call(*words(tmp_path / "undisturbed")).exit_code == 0
    run = tmp_path / "run"
    command = commands.start(*words(run))
    command.wait_until(lambda: (run / f"2-{stage}/state.pt").is_file())
    command.send(number)
    assert command.wait() in (130, 137)
    done = commands.call(*words(run))
    assert done.exit_code == 0 and "goes on at iteration" in done.stdout(), done.stderr()
    assert checkpoint_hashes(run) == checkpoint_hashes(tmp_path / "undisturbed")
    ours, theirs = (x / f"2-{stage}/teacher.safetensors" for x in (run, tmp_path / "undisturbed"))
    assert ours.read_bytes() == theirs.read_bytes()


def no_things(content: dict[str, Any]) -> None:
    content["mic"]["method"] = {"name": "mic", "things": ["spaceship"]}


def no_teacher(content: dict[str, Any]) -> None:
    content["averaged"]["method"] = "source_only"


def large_crop(content: dict[str, Any]) -> None:
    content["mic"]["crop"] = {"size": [80, 64]}


def tokens_without_a_vit(content: dict[str, Any]) -> None:
    content["mic"]["method"] = {"name": "mic", "things": ["car"], "hidden": "tokens"}


def other_counts(content: dict[str, Any]) -> None:
    content["mixed"]["rare_classes"] = {**RARE, "counts": "counts.counts"}


def twice(content: dict[str, Any]) -> None:
    content["mixed"]["source"] = ["source", "source"]


def no_weight(content: dict[str, Any]) -> None:
    content["mixed"]["target"] = {"target": 0}


def target_labels(content: dict[str, Any]) -> None:
    content["mixed"]["source"] = {"source": 1, "target": 1}


def validated_on_the_target(content: dict[str, Any]) -> None:
    content["mixed"]["validation"] = {"domain": "target", "every": 3}


def two_sizes(content: dict[str, Any]) -> None:
    for key in ("crop", "rare_classes"):
        del content["class-wise"][key]
    content["class-wise"]["scales"] = [1.0, 1.2]


def tokens_in_two_resolutions(content: dict[str, Any]) -> None:
    content["two-resolutions"]["method"] = {"name": "mic", "things": ["car"], "hidden": "tokens"}
    content["two-resolutions"]["model"] = {
        "backbone": "timm:vit_tiny_patch16_224",
        "heads": "vit",
        "weights": "none",
        "mask_token": True,
        "detail": {"window": [32, 32]},
    }


def two_levels_in_two_resolutions(content: dict[str, Any]) -> None:
    content["mic"]["model"] = {**content["mic"]["model"], "detail": {"window": [32, 32]}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (tokens_without_a_vit, "method.hidden: tokens needs a ViT with a mask token"),
        (two_sizes, "crop: method dacs lays parts of source images over target images"),
        (tokens_in_two_resolutions, "hidden: tokens are those of one look at the image"),
        (other_counts, "counts: must name the counts of source and more, one for each"),
        (twice, "source: 'source' is named twice; leave one out"),
        (no_weight, "target: the weight of 'target' must be a number above 0, not 0"),
        (target_labels, "source: 'target' is a target domain.*labels are never opened"),
        (validated_on_the_target, "validation.domain: 'target' is a target domain, expected"),
        (two_levels_in_two_resolutions, "model.detail: needs a head of one level"),
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
        run_recipe(recipe_of(content, DOMAINS), tmp_path / "run", whole / "data")
    assert not list((tmp_path / "run").rglob("metrics.jsonl"))
