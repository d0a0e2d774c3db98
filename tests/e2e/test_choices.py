"""Class priors, snapshots, label-free selection and ensembles, through a whole run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import WIDTH, domains, recipe_of, run_recipe, train, write_data
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.models.files.tensors import read_tensors


def recipe() -> dict[str, Any]:
    prior = {"lambda_cp": {"main": 0.1, "aux": 0.02}}
    return recipe_of(
        {
            "prior": {"stage": "class_prior", "source": "source", "workers": 0},
            "source-only": train("source_only"),
            "minent-cp": train(
                {"name": "minent", "class_prior": prior}, class_prior="prior.shares"
            ),
            "advent": train("advent", snapshots=3, iterations=5),
            "select": {
                "stage": "select",
                "snapshots": "advent.snapshots",
                "images": "target",
                "source": "source",
                "workers": 0,
            },
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["source-only.checkpoint", "advent.checkpoint", "select.checkpoint"],
                "ensembles": {
                    "both": {"source-only.checkpoint": 1, "advent.checkpoint": 2},
                },
                "selections": ["select.selection"],
                "pictures": 1,
                "workers": 0,
            },
        },
        domains(),
    )


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_recipe(recipe(), tmp_path_factory.mktemp("choices") / "run", data_root)


def test_prior_is_the_histogram_of_the_source_labels(finished: Path, data_root: Path) -> None:
    found = json.loads((finished / "1-prior" / "class_prior.json").read_text())
    labels = sorted((data_root / "rendered" / "labels" / "train").glob("*.png"))
    ids = np.concatenate([np.asarray(Image.open(path)).ravel() for path in labels])
    assert found["pixels"] == [int((ids == i).sum()) for i in range(len(found["classes"]))]
    assert sum(found["pixels"]) > len(labels) * WIDTH


def test_prior_takes_part_in_training(finished: Path) -> None:
    lines = (finished / "3-minent-cp" / "metrics.jsonl").read_text().splitlines()
    assert all(json.loads(line)["loss_cp_main"] > 0 for line in lines)


def test_snapshots_are_evenly_spaced_and_the_last_is_the_checkpoint(finished: Path) -> None:
    folder = finished / "4-advent"
    files = sorted((folder / "snapshots").iterdir())
    assert [path.name for path in files] == [f"{i:07d}.safetensors" for i in (2, 3, 5)]
    last, checkpoint = read_tensors(files[-1]), read_tensors(folder / "checkpoint.safetensors")
    assert all(np.array_equal(last[key], checkpoint[key]) for key in checkpoint)
    first = read_tensors(files[0])
    assert any(not np.array_equal(first[key], last[key]) for key in last)


def test_selection_takes_the_best_snapshot_by_its_score(finished: Path) -> None:
    found = json.loads((finished / "5-select" / "selection.json").read_text())
    assert found["score"] == "information_maximisation"
    by_score = {s["iteration"]: s["scores"][found["score"]] for s in found["snapshots"]}
    assert by_score[found["chosen"]] == max(by_score.values())
    chosen = finished / "4-advent" / "snapshots" / f"{found['chosen']:07d}.safetensors"
    assert (finished / "5-select" / "checkpoint.safetensors").read_bytes() == chosen.read_bytes()
    assert set(found["snapshots"][0]["scores"]) == {
        "mean_entropy",
        "information_maximisation",
        "soft_neighbourhood_density",
        "source_miou",
    }


def test_evaluation_tells_last_label_free_and_oracle_choice(finished: Path) -> None:
    report = json.loads((finished / "6-evaluate" / "report.json").read_text())
    by_name = {row["checkpoint"]: row["miou"] for row in report["scores"]}
    assert list(by_name) == ["source-only", "advent", "select", "both"]
    (selection,) = report["selections"]
    miou = {s["iteration"]: s["miou"] for s in selection["snapshots"]}
    assert miou[5] == by_name["advent"]
    assert miou[selection["chosen"]] == by_name["select"]
    page = (finished / "report.html").read_text()
    assert "Which snapshot" in page and "soft neighbourhood density" in page


def test_prior_and_settings_must_go_together(data_root: Path, tmp_path: Path) -> None:
    without = recipe()
    del without["stages"]["minent-cp"]["class_prior"]
    with pytest.raises(SegadaptError, match=r"minent-cp\.class_prior.*it is missing"):
        run_recipe(without, tmp_path / "a", data_root)
    unused = recipe()
    unused["stages"]["advent"]["class_prior"] = "prior.shares"
    with pytest.raises(SegadaptError, match=r"advent\.class_prior.*they have not"):
        run_recipe(unused, tmp_path / "b", data_root)


def test_selection_needs_snapshots(data_root: Path, tmp_path: Path) -> None:
    few = recipe()
    few["stages"]["advent"]["snapshots"] = 1
    with pytest.raises(SegadaptError, match=r"'advent\.snapshots' has 1; set `snapshots`"):
        run_recipe(few, tmp_path / "run", data_root)


def test_selection_never_opens_target_labels(data_root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(data_root, tmp_path / "data")
    assert not (other / "camvid" / "labels" / "train").exists()
    without = recipe()
    del without["stages"]["evaluate"]
    shutil.rmtree(other / "camvid" / "labels")
    run = run_recipe(without, tmp_path / "run", other)
    assert (run / "5-select" / "checkpoint.safetensors").is_file()


def test_prior_without_a_labelled_pixel_is_told(data_root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(data_root, tmp_path / "data")
    for path in (other / "rendered" / "labels" / "train").glob("*.png"):
        Image.new("L", Image.open(path).size, 255).save(path)
    with pytest.raises(SegadaptError, match="no labelled pixel"):
        run_recipe(recipe(), tmp_path / "run", other)
