"""Digits through the whole pipeline: every stage, and every method that is not for pixels."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Commands, checkpoint_hashes, read_metrics, run_recipe, write_recipe

from segadapt.base.errors import SegadaptError
from segadapt.data import digit_files
from segadapt.data.datasets import mnist
from segadapt.engine.predict import load

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from miniatures import write_digits

NUMBER = 30


def train(method: str | dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {
        "stage": "train",
        "method": method,
        "source": "source",
        "target": "target",
        "model": {
            "backbone": "lenet",
            "heads": "single",
            "weights": "none",
            "input_format": "rgb_signed",
        },
        "iterations": 6,
        "batch_size": 8,
        "workers": 0,
        "log_every": 1,
        "save_every": 2,
        "optimizer": {"name": "adamw", "lr": 1e-3, "classifier_factor": 1.0},
        **settings,
    }


def recipe(stages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    size = [28, 28]
    return {
        "name": "digits",
        "domains": {
            "source": {"dataset": "usps", "split": "train", "role": "source", "size": size},
            "target": {"dataset": "mnist", "split": "train", "role": "target", "size": size},
            "test": {"dataset": "mnist", "split": "test", "role": "test", "size": size},
        },
        "stages": stages,
    }


def stages() -> dict[str, dict[str, Any]]:
    return {
        "source-only": train("source_only", target=None),
        "adda": train(
            {"name": "adda", "confident_above": 0.0, "lambda_seg": 0.5},
            start_from="source-only.checkpoint",
            jitter={"scale": (0.8, 1.25), "shift": 0.1},
        ),
        "advent": train("advent"),
        "minent": train("minent", snapshots=2),
        "select": {
            "stage": "select",
            "snapshots": "minent.snapshots",
            "images": "target",
            "workers": 0,
        },
        "rank": {
            "stage": "rank",
            "checkpoint": "adda.checkpoint",
            "images": "target",
            "easy_ratio": 0.8,
            "workers": 0,
        },
        "labels": {
            "stage": "pseudo_label",
            "checkpoint": "adda.checkpoint",
            "images": "rank.easy",
            "workers": 0,
        },
        "cyclegan": {
            "stage": "train_translator",
            "source": "labels.labels",
            "target": "rank.hard",
            "segmenter": "adda.checkpoint",
            "semantic_answer": "labels_and_predictions",
            "generator": {"width": 2, "blocks": 1},
            "discriminator_width": 2,
            "flip": False,
            "batch_size": 2,
            "iterations": 2,
            "workers": 0,
        },
        "translate": {
            "stage": "translate",
            "source": "labels.labels",
            "translation": {"rule": "generator", "translator": "cyclegan.translator"},
            "segmenter": "adda.checkpoint",
            "workers": 0,
        },
        "intra": train("advent", source="translate.images", target="rank.hard"),
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["source-only.checkpoint", "intra.checkpoint"],
            "selections": ["select.selection"],
            "workers": 0,
        },
    }


def write_data(root: Path) -> Path:
    write_digits(root / "digits", "mnist", NUMBER, seed=1)
    write_digits(root / "digits", "usps", NUMBER, seed=2)
    return root


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    run_recipe(recipe(stages()), folder / "run", write_data(folder / "data"))
    return folder


def test_scores_are_accuracies_and_mistakes_are_shown(finished: Path) -> None:
    run = finished / "run"
    report = json.loads((run / "11-evaluate" / "report.json").read_text())
    assert report["measure"] == "accuracy" and report["pictures"] == []
    with np.load(finished / "data" / "digits" / "mnist.npz") as arrays:
        pictures, labels = arrays["x_test"], arrays["y_test"]
    predictor = load(run / "1-source-only" / "checkpoint.safetensors", device="cpu")
    seen = [int(predictor.predict(np.stack([p] * 3, axis=-1)).label[0, 0]) for p in pictures]
    (row,) = [r for r in report["scores"] if r["checkpoint"] == "source-only"]
    assert row["pixel_accuracy"] == pytest.approx(np.mean(np.array(seen) == labels))
    (mistakes,) = [r for r in report["mistakes"] if r["checkpoint"] == "source-only"]
    shown = mistakes["images"]
    assert len(shown) == min(12, NUMBER - round(row["pixel_accuracy"] * NUMBER))
    assert [m["probability"] for m in shown] == sorted(
        (m["probability"] for m in shown), reverse=True
    )
    for mistake in shown:
        index = int(mistake["name"])
        assert mistake["truth"] == str(labels[index]) != mistake["predicted"] == str(seen[index])
    page = (run / "report.html").read_text()
    assert "Most certain mistakes" in page and "accuracy in percent" in page
    assert "mIoU in percent" not in page
    assert "of all images as before" in page and "of all pixels as before" not in page


def test_without_labels_classes_of_images_stand_side_by_side(tmp_path: Path) -> None:
    several = {name: stages()[name] for name in ("source-only", "advent")}
    several["inspect"] = {
        "stage": "inspect",
        "checkpoints": [f"{name}.checkpoint" for name in several],
        "images": "target",
        "source": "source",
        "workers": 0,
    }
    run = run_recipe(recipe(several), tmp_path / "run", write_data(tmp_path / "data"))
    found = json.loads((run / "3-inspect/inspection.json").read_text())
    assert found["of"] == "images"
    for row in found["checkpoints"]:
        assert sum(row["counts"]) == len(found["images"])
        assert "soft_neighbourhood_density" not in row
    assert {x["agreement"] for x in found["images"]} <= {0.0, 1.0}
    page = (run / "report.html").read_text()
    assert "No target labels, so no accuracy" in page and "Percent of the images" in page


def test_split_and_labels_are_of_whole_images(finished: Path) -> None:
    run = finished / "run"
    split = json.loads((run / "6-rank" / "split.json").read_text())
    parts = [image["split"] for image in split["images"]]
    assert (parts.count("easy"), parts.count("hard")) == (24, 6)
    assert all(image["predicted_classes"] == 1 for image in split["images"])
    assert len(list((run / "7-labels" / "labels").iterdir())) == 24


def test_labels_of_the_target_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()

    def watched(file: Path, key: str) -> np.ndarray:
        read.add(key)
        return digit_files.read_npz(file, key)

    monkeypatch.setattr(mnist, "read_npz", watched)
    run_recipe(recipe(stages()), tmp_path / "run", write_data(tmp_path / "data"))
    assert read == {"x_train", "x_test", "y_test"}


def test_killed_training_with_dropout_goes_on_to_the_same_model(
    finished: Path, tmp_path: Path, commands: Commands
) -> None:
    only = {k: stages()[k] for k in ("source-only", "adda")}
    only["adda"]["iterations"] = 40
    file = write_recipe(recipe(only), tmp_path / "recipe.yaml")
    whole = run_recipe(recipe(only), tmp_path / "whole", finished / "data")
    run = tmp_path / "run"
    arguments = ("run", file, "--out", run, "--data-root", finished / "data", "--device", "cpu")
    command = commands.start(*arguments)
    metrics = run / "2-adda" / "metrics.jsonl"
    command.wait_until(lambda: metrics.is_file() and metrics.read_bytes().count(b"\n") >= 5)
    command.send(signal.SIGKILL)
    command.wait()
    assert len(read_metrics(run / "2-adda")) < 40
    assert commands.start(*arguments).wait() == 0
    assert checkpoint_hashes(run) == checkpoint_hashes(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_from": None}, "start_from: is required by method adda"),
        (
            {"model": {"backbone": "squeezenet1_0", "weights": "none"}},
            "these images have one label",
        ),
        ({"method": "pixintrada"}, "pixintrada is for pixels"),
        ({"method": "cirn"}, "cirn is for pixels"),
        ({"scales": [0.5, 1.0]}, "scales: lenet takes images of one size"),
    ],
)
def test_what_does_not_go_with_digits_is_refused(
    change: dict[str, Any], message: str, finished: Path, tmp_path: Path
) -> None:
    only = {k: stages()[k] for k in ("source-only", "adda")}
    only["adda"] |= change
    with pytest.raises(SegadaptError, match=message):
        run_recipe(recipe(only), tmp_path / "run", finished / "data")


def test_sizes_that_the_network_does_not_take_are_refused(finished: Path, tmp_path: Path) -> None:
    wrong = recipe({"source-only": stages()["source-only"]})
    wrong["domains"]["source"]["size"] = [32, 32]
    with pytest.raises(SegadaptError, match=r"lenet takes images of \[28, 28\], those of"):
        run_recipe(wrong, tmp_path / "run", finished / "data")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("evaluate", {"views": {"scales": [1.0, 2.0]}}),
        ("select", {"score": "soft_neighbourhood_density"}),
        ("cyclegan", {"crop": [24, 24]}),
    ],
)
def test_stages_after_training_are_checked_before_it(
    name: str, change: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    wrong = recipe(stages())
    wrong["stages"][name] |= change
    with pytest.raises(SegadaptError, match=f"stages.{name}"):
        run_recipe(wrong, tmp_path / "run", finished / "data")
    assert not list((tmp_path / "run").glob("*/metrics.jsonl"))


def test_test_images_of_another_size_are_refused_before_training(
    finished: Path, tmp_path: Path
) -> None:
    wrong = recipe(stages())
    wrong["domains"]["test"]["size"] = None
    with pytest.raises(SegadaptError, match=r"set domains\.test\.size to"):
        run_recipe(wrong, tmp_path / "run", finished / "data")


def test_other_digits_in_a_file_of_the_same_length_are_noticed(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    only = recipe({"source-only": stages()["source-only"]})
    run_recipe(only, tmp_path / "run", data)
    path = data / "digits" / "usps.h5"
    content = path.read_bytes()
    write_digits(data / "digits", "usps", NUMBER, seed=3)
    assert path.stat().st_size == len(content) and path.read_bytes() != content
    with pytest.raises(SegadaptError, match="other settings, data"):
        run_recipe(only, tmp_path / "run", data)


def test_adda_is_refused_for_pixels(tmp_path: Path) -> None:
    import harness

    data = harness.write_data(tmp_path / "data")
    pixels = {
        "source-only": harness.train("source_only"),
        "adda": harness.train("adda", start_from="source-only.checkpoint"),
    }
    with pytest.raises(SegadaptError, match="adda is for images with one label each"):
        run_recipe(harness.recipe_of(pixels), tmp_path / "run", data)
