"""Boxes through the whole pipeline: every stage that has a meaning for them, and refusals."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import (
    Commands,
    checkpoint_hashes,
    read_metrics,
    run_recipe,
    save,
    write_recipe,
)
from safetensors.numpy import load_file
from test_no_target_labels import run_under_alarm

from segadapt.artefacts import read_json
from segadapt.base.errors import SegadaptError
from segadapt.config.load import validate
from segadapt.data.boxes.coco import CocoPath
from segadapt.engine.predict import load
from segadapt.stages.context import StageContext

SIDE = 64
CLASSES = """
boxes: true
classes:
  - {name: red, colour: [220, 30, 30]}
  - {name: blue, colour: [30, 30, 220]}
"""
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}


def write_split(root: Path, split: str, number: int, seed: int, tint: int = 0) -> None:
    """Images with one to three squares of two classes, and where these are."""
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    for i in range(number):
        pixels = rng.integers(90, 130, (SIDE, SIDE, 3)).astype(np.int16)
        for _ in range(rng.integers(1, 4)):
            side = int(rng.integers(16, 32))
            left, top = (int(x) for x in rng.integers(0, SIDE - side, 2))
            kind = int(rng.integers(0, 2))
            pixels[top : top + side, left : left + side] = list(COLOURS.values())[kind]
            row = {"image_id": i, "category_id": kind, "bbox": [left, top, side, side]}
            annotations.append({"id": len(annotations), "iscrowd": 0, **row})
        name = f"{i:03d}.png"
        save(np.clip(pixels + tint, 0, 255).astype(np.uint8), root / "images" / split / name)
        images.append({"id": i, "file_name": name, "height": SIDE, "width": SIDE})
    file = root / "annotations" / f"{split}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    names = [{"id": i, "name": name} for i, name in enumerate(COLOURS)]
    content = {"images": images, "annotations": annotations, "categories": names}
    file.write_text(json.dumps(content))
    (root / "classes.yaml").write_text(CLASSES)


def write_data(root: Path) -> Path:
    write_split(root / "clear", "train", 8, seed=1)
    write_split(root / "clear", "val", 4, seed=2)
    write_split(root / "fog", "train", 8, seed=3, tint=40)
    write_split(root / "fog", "val", 4, seed=4, tint=40)
    return root


def train(method: str | dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {
        "stage": "train",
        "method": method,
        "source": "source",
        "target": "target",
        "model": {
            "backbone": "squeezenet1_0",
            "heads": "ssd",
            "extra_channels": 32,
            "aspect_ratios": [[2.0], [2.0]],
            "scales": [0.25, 0.4, 0.6],
            "normalised": True,
            "weights": "none",
        },
        "iterations": 4,
        "batch_size": 4,
        "workers": 0,
        "log_every": 1,
        "save_every": 2,
        "box_augmentation": {},
        "flip": True,
        "optimizer": {"name": "adamw", "lr": 3e-4, "classifier_factor": 3.0},
        **settings,
    }


ADVENT = {"name": "advent", "discriminator_width": 4}


def stages() -> dict[str, dict[str, Any]]:
    labels = {"stage": "pseudo_label", "checkpoint": "advent.checkpoint", "workers": 0}
    return {
        "source-only": train(
            "source_only",
            target=None,
            iterations=60,
            snapshots=2,
            validation={"domain": "held-out", "every": 30},
        ),
        "advent": train(ADVENT, start_from="source-only.checkpoint"),
        "teacher": train({"name": "mean_teacher", "threshold": 0.2}),
        "select": {
            "stage": "select",
            "snapshots": "source-only.snapshots",
            "images": "target",
            "source": "held-out",
            "score": "source_ap50",
            "workers": 0,
        },
        "rank": {
            "stage": "rank",
            "checkpoint": "advent.checkpoint",
            "images": "target",
            "easy_ratio": 0.5,
            "gallery": 2,
            "workers": 0,
        },
        "labels": {**labels, "images": "rank.easy", "boxes": {"portion": 0.4, "least": 0.1}},
        "intra": train(
            ADVENT, source="labels.labels", target="rank.hard", start_from="advent.checkpoint"
        ),
        "inspect": {
            "stage": "inspect",
            "checkpoints": ["source-only.checkpoint", "advent.checkpoint"],
            "images": "target",
            "source": "source",
            "pictures": 2,
            "workers": 0,
        },
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["source-only.checkpoint", "teacher.teacher", "intra.checkpoint"],
            "selections": ["select.selection"],
            "workers": 0,
        },
    }


def recipe(stages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    common = {"dataset": "coco", "size": [SIDE, SIDE]}
    return {
        "name": "boxes",
        "domains": {
            "source": {**common, "root": "clear", "split": "train", "role": "source"},
            "held-out": {**common, "root": "clear", "split": "val", "role": "source"},
            "target": {**common, "root": "fog", "split": "train", "role": "target"},
            "test": {**common, "root": "fog", "split": "val", "role": "test"},
        },
        "stages": stages,
    }


def stage(run: Path, name: str) -> Path:
    (found,) = run.glob(f"*-{name}")
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxes")
    run_recipe(recipe(stages()), folder / "run", write_data(folder / "data"))
    return folder


def test_boxes_are_scored_while_training_goes_on_as_they_are_afterwards(finished: Path) -> None:
    run = finished / "run"
    rows = [json.loads(line) for line in (stage(run, "source-only") / "validation.jsonl").open()]
    assert [row["iteration"] for row in rows] == [30, 60]
    chosen = read_json(stage(run, "select") / "selection.json")
    assert chosen["score"] == "source_ap50"
    scores = {x["iteration"]: x["scores"] for x in chosen["snapshots"]}
    for row in rows:
        assert row["ap50"] == pytest.approx(scores[row["iteration"]]["source_ap50"])
        assert row.keys() == {"iteration", "ap50", "map", "domain"}
    assert chosen["chosen"] == max(rows, key=lambda row: row["ap50"])["iteration"]
    assert max(row["ap50"] for row in rows) > 0.05
    for values in scores.values():
        assert -1 <= values["mean_entropy"] < 0
        assert -1 <= values["information_maximisation"] <= 1


def test_ranking_is_by_the_mean_entropy_of_all_anchors(finished: Path) -> None:
    run = finished / "run"
    predictor = load(stage(run, "advent") / "checkpoint.safetensors", device="cpu")
    split = read_json(stage(run, "rank") / "split.json")["images"]
    assert [image["split"] for image in split] == ["easy"] * 4 + ["hard"] * 4
    domain = context(finished).domain("target", labelled=False)
    for image in split:
        pixels = torch.from_numpy(domain.subset([image["name"]]).image(0).copy())[None]
        boxes = predictor.boxes(pixels).boxes
        assert boxes is not None
        probability = boxes.scores[0].double().softmax(dim=-1)  # (A, 1 + C)
        entropy = -(probability * probability.log()).sum(dim=-1) / np.log(3)
        assert image["mean_entropy"] == pytest.approx(float(entropy.mean()), rel=1e-4)
        found = set(probability.argmax(dim=-1).tolist()) - {0}
        assert image["predicted_classes"] == len(found)
    scores = [image["score"] for image in split]
    assert scores == sorted(scores) and scores[0] < scores[-1]
    shown = sorted(path.name for path in (stage(run, "rank") / "gallery").iterdir())
    assert len(shown) == 2 * 3


def test_boxes_above_the_thresholds_of_their_classes_are_labels(finished: Path) -> None:
    run = finished / "run"
    predictor = load(stage(run, "advent") / "checkpoint.safetensors", device="cpu")
    summary = read_json(stage(run, "labels") / "manifest.json")["summary"]
    split = read_json(stage(run, "rank") / "split.json")["images"]
    easy = [image["name"] for image in split if image["split"] == "easy"]
    domain = context(finished).domain("labels.labels", labelled=True)
    assert [sample.name for sample in domain.samples] == easy
    number = 0
    for index in range(len(domain)):
        (found,) = predictor.detections(torch.from_numpy(domain.image(index).copy())[None])
        thresholds = torch.tensor(list(summary["thresholds"].values()))[found.labels]
        rows = domain.label(index)
        sure, unsure = rows[rows[:, 5] == 0], rows[rows[:, 5] == 1]
        expected = found.boxes[found.scores >= thresholds]
        np.testing.assert_allclose(sure[:, :4], expected, atol=1e-3)
        assert set(sure[:, 4].astype(int)) <= {0, 1}
        assert len(unsure) <= int((found.scores < thresholds).sum())
        number += len(sure)
    assert number == sum(summary["boxes"].values()) > 0
    assert all(0.1 <= value <= 0.5 for value in summary["thresholds"].values())


def test_report_shows_boxes_of_each_checkpoint_and_of_the_ranking(finished: Path) -> None:
    run = finished / "run"
    report = read_json(stage(run, "evaluate") / "report.json")
    assert report["measure"] == "AP50"
    assert [row["checkpoint"] for row in report["scores"]] == ["source-only", "teacher", "intra"]
    assert {"ap50", "source_ap50"} <= set(
        report["selections"][0]["snapshots"][0]["scores"] | report["selections"][0]["snapshots"][0]
    )
    page = (run / "report.html").read_text()
    for words in ("AP50", "AP50 on held-out source images", "Most certain mistakes"):
        assert words in page
    assert "mIoU" not in page
    # Without labels: boxes are counted by class, beside those of the source.
    seen = read_json(stage(run, "inspect") / "inspection.json")
    assert seen["of"] == "boxes" and seen["source"]["images"] == 8
    annotations = read_json(finished / "data/clear/annotations/train.json")["annotations"]
    assert sum(seen["source"]["counts"]) == len(annotations)
    drawn = {x["image_number"]: x["predictions"]["advent"]["number"] for x in seen["pictures"]}
    assert sum(drawn.values()) <= sum(seen["checkpoints"][1]["counts"])
    assert "Side by side" in page and "No target labels" not in page


def test_target_boxes_are_never_touched(tmp_path: Path) -> None:
    root = write_data(tmp_path / "data")
    small = stages()
    small["source-only"] |= {"iterations": 4, "validation": {"domain": "held-out", "every": 2}}
    small["advent"]["workers"] = 1
    done = run_under_alarm(recipe(small), root, tmp_path, labels="fog/annotations/train.json")
    assert done.returncode == 0, done.stderr
    assert (stage(tmp_path / "run", "evaluate") / "manifest.json").is_file()
    # That is the file which would be read: the alarm stands at the right place.
    label = context(tmp_path).domain("target", labelled=True).samples[0].label
    assert isinstance(label, CocoPath) and label.file == root / "fog/annotations/train.json"


def test_killed_training_goes_on_to_the_same_model(
    finished: Path, tmp_path: Path, commands: Commands
) -> None:
    only = {"teacher": {**stages()["teacher"], "iterations": 12}}
    file = write_recipe(recipe(only), tmp_path / "recipe.yaml")
    whole = run_recipe(recipe(only), tmp_path / "whole", finished / "data")
    run = tmp_path / "run"
    arguments = ("run", file, "--out", run, "--data-root", finished / "data", "--device", "cpu")
    command = commands.start(*arguments)
    metrics = run / "1-teacher" / "metrics.jsonl"
    command.wait_until(lambda: metrics.is_file() and metrics.read_bytes().count(b"\n") >= 3)
    command.send(signal.SIGKILL)
    command.wait()
    assert len(read_metrics(run / "1-teacher")) < 12
    assert commands.start(*arguments).wait() == 0
    assert checkpoint_hashes(run) == checkpoint_hashes(whole)


def test_killed_labelling_goes_on_to_the_same_boxes(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished / "run", run)
    labels = stage(run, "labels")
    before, begun = read_json(labels / "boxes.json"), read_json(labels / "manifest.json")
    shutil.rmtree(labels)
    rows = labels / "so-far"
    rows.mkdir(parents=True)
    marks = {"format": begun["format"], "fingerprint": begun["fingerprint"]}
    (labels / "started.json").write_text(json.dumps(marks))
    # What a killed stage leaves: two of the images are done, with boxes that give it away.
    box = [[[1.0, 2.0, 30.0, 40.0]], [0.9], [1]]
    (rows / "0.jsonl").write_text("".join(json.dumps([i, box]) + "\n" for i in (0, 1)) + "[2, [[")
    only = {k: v for k, v in stages().items() if k not in ("intra", "evaluate")}
    run_recipe(recipe(only), run, finished / "data")
    content = json.loads((stage(run, "labels") / "boxes.json").read_text())
    first = [row for row in content["annotations"] if row["image_id"] in (1, 2)]
    assert [row["bbox"] for row in first] == [[1.0, 2.0, 29.0, 38.0]] * 2
    assert not rows.exists()
    assert content["images"] == before["images"]


@pytest.mark.slow
def test_two_processes_train_and_find_what_one_does(finished: Path, tmp_path: Path) -> None:
    """Plain gradient descent at a rate that keeps rounding errors from growing."""
    step = {"iterations": 2, "optimizer": {"name": "sgd", "lr": 2e-6}}
    only = stages()
    for name in ("intra", "evaluate"):
        del only[name]
    only["mean-teacher"] = train({"name": "mean_teacher", "threshold": 0.05}, **step)
    runs = []
    for devices in (1, 2):
        run = tmp_path / str(devices)
        shutil.copytree(finished / "run", run)
        for name in ("select", "rank", "labels", "intra", "inspect", "evaluate"):
            shutil.rmtree(stage(run, name))
        run_recipe(recipe(only), run, finished / "data", devices=devices)
        runs.append(run)
    one, two = runs
    files = {
        "select": "selection.json",
        "rank": "split.json",
        "inspect": "inspection.json",
    }
    for name, file in files.items():
        assert read_json(stage(two, name) / file) == read_json(stage(one, name) / file)
    file = "boxes.json"
    assert (stage(two, "labels") / file).read_bytes() == (stage(one, "labels") / file).read_bytes()
    own, other = (load_file(stage(r, "mean-teacher") / "checkpoint.safetensors") for r in runs)
    for key, value in own.items():
        np.testing.assert_allclose(other[key], value, rtol=0, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("split", {"stage": "pixel_split"}, "checkpoint: 'source-only.checkpoint' is for boxes"),
        ("prior", {"stage": "class_prior", "source": "source"}, "source: 'source' is for boxes"),
        ("counts", {"stage": "class_counts", "source": "source"}, "source: 'source' is for boxes"),
        (
            "translate",
            {"stage": "translate", "source": "source", "target": "target",
             "segmenter": "source-only.checkpoint"},
            "segmenter: 'source-only.checkpoint' is for boxes",
        ),
        (
            "select",
            {"stage": "select", "snapshots": "source-only.snapshots", "images": "target",
             "source": "held-out", "score": "source_miou"},
            "score: these images have boxes; use source_ap50",
        ),
        ("dacs", train("dacs"), "dacs"),
        ("pixintrada", train("pixintrada", source="source"), "pixintrada"),
        ("cirn", train("cirn"), "cirn"),
        ("clan", train("clan"), "clan"),
        ("adda", train("adda", start_from="source-only.checkpoint"), "adda"),
        ("crop", train("minent", crop={"size": [32, 32]}), "crop: is for labels of pixels"),
        ("heads", train("minent", model={"backbone": "squeezenet1_0", "weights": "none"}),
         "model.heads: these images have boxes; set heads to ssd"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_boxes_is_refused(
    name: str, change: dict[str, Any], message: str, finished: Path, tmp_path: Path
) -> None:
    if change["stage"] == "pixel_split":
        change = {**change, "checkpoint": "source-only.checkpoint", "images": "target"}
    tried = recipe({"source-only": stages()["source-only"], name: change})
    with pytest.raises(SegadaptError) as caught:
        run_recipe(tried, tmp_path / "run", finished / "data")
    said = str(caught.value)
    assert f"stages.{name}" in said and message in said
    assert not (tmp_path / "run" / "1-source-only" / "metrics.jsonl").exists()


def context(folder: Path) -> StageContext:
    return StageContext(validate(recipe(stages()), "boxes"), folder / "run", folder / "data", 0)
