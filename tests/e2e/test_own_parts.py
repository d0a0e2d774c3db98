"""A stage, a trunk, a head and a method of one's own, each in one file outside the package.

The files are those of docs/add-a-*.md, so this also runs what the documents show.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from harness import checkpoint_hashes

import segadapt
from documents import write_own_parts
from segadapt.base.errors import SegadaptError
from segadapt.commands.check import check_recipe
from segadapt.commands.show import shown
from segadapt.config.load import load_recipe
from segadapt.models.files.checkpoints import load_checkpoint

PARTS = ("own_head", "own_method", "own_stage", "own_trunk")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on the path of Python with the files, and a recipe of all of them."""
    folder = tmp_path_factory.mktemp("own")
    assert write_own_parts(folder) == sorted([*(f"{part}.py" for part in PARTS), "own.yaml"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder))
        yield folder
        for part in PARTS:
            sys.modules.pop(part, None)


@pytest.fixture(scope="module")
def finished(own: Path) -> Path:
    return segadapt.run(
        str(own / "own.yaml"), own / "run", overrides=["stages.confident.stage=own_stage:Confident"]
    )


def manifest(run: Path, name: str) -> dict[str, Any]:
    (path,) = run.glob(f"*-{name}/manifest.json")
    return dict(json.loads(path.read_text()))


def test_recipe_of_own_parts_runs_to_its_report(finished: Path) -> None:
    manifests = sorted(finished.glob("*/manifest.json"))
    assert len(manifests) == 7
    stage = manifest(finished, "confident")
    assert stage["stage"] == "own_stage:Confident"
    assert stage["summary"] == {"easy": 6, "hard": 6}
    assert stage["artefacts"] == {"easy": "images", "hard": "images"}
    # Its output is what the next stage labelled, and the one after that trained on.
    labelled = set(json.loads((finished / "5-labels" / "labels.json").read_text())["names"])
    split = json.loads((finished / "4-confident" / "split.json").read_text())["images"]
    assert labelled == {image["name"] for image in split if image["split"] == "easy"}
    assert manifest(finished, "self-training")["summary"]["source_images"] == 6
    scores = json.loads((finished / "7-evaluate" / "report.json").read_text())["scores"]
    assert [row["checkpoint"] for row in scores] == ["source-only", "max-square", "self-training"]
    report = (finished / "report.html").read_text()
    assert "own_stage:Confident" in report and "own_trunk:Tiny" in report
    losses = (finished / "3-max-square" / "metrics.jsonl").read_text()
    assert "loss_square_main" in losses


def test_settings_of_own_parts_are_shown_with_their_defaults(own: Path) -> None:
    recipe = load_recipe(str(own / "own.yaml"), ["stages.max-square.model.width=5"])
    stages = yaml.safe_load(shown(recipe))["stages"]
    assert stages["max-square"]["method"]["lambda_square"] == {"main": 0.05, "aux": 0.02}
    assert stages["max-square"]["model"]["width"] == 5
    assert stages["source-only"]["model"]["width"] == 8
    assert stages["confident"]["easy_ratio"] == 0.5


def test_finished_stages_are_skipped_and_own_ones_redone_with_what_depends_on_them(
    own: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = checkpoint_hashes(finished)
    segadapt.run(str(own / "own.yaml"), finished, redo="confident")
    said = capsys.readouterr().out
    assert "max-square: finished before, skipped" in said
    assert "confident: finished" not in said and "self-training: finished" not in said
    assert checkpoint_hashes(finished) == before
    with pytest.raises(SegadaptError, match=r"stage 'confident' was run with other settings"):
        segadapt.run(
            str(own / "own.yaml"), finished, overrides=["stages.confident.easy_ratio=0.25"]
        )


def test_run_stopped_within_an_own_stage_goes_on_with_the_same_numbers(
    own: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from own_stage import Confident

    work, out = Confident.run, own / "stopped"

    def stopped(self: Any, what: Any) -> dict[str, Any]:
        work(self, what)
        raise KeyboardInterrupt

    monkeypatch.setattr(Confident, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        segadapt.run(str(own / "own.yaml"), out)
    assert not (out / "4-confident" / "manifest.json").exists()
    monkeypatch.setattr(Confident, "run", work)
    segadapt.run(str(own / "own.yaml"), out)
    assert checkpoint_hashes(out) == checkpoint_hashes(finished)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("stages.confident.images=labels.labels", r"stages\.confident\.images: 'labels\.labels'"),
        ("stages.confident.checkpoint=draw.folder", "expected a checkpoint"),
        ("stages.confident.confidence=2", r"stages\.confident\.confidence: .*less than 1"),
        ("stages.confident.sure=2", r"stages\.confident\.sure: unknown key"),
        ("stages.max-square.target=null", r"target: is required by method own_method:MaxSquare"),
        ("stages.max-square.model.width=9", r"start_from: .*has width 8, this stage's has 9"),
        ("stages.confident.stage=own_stage:Sure", r"stage own_stage:Sure: cannot be imported"),
    ],
)
def test_own_parts_are_checked_before_the_run(own: Path, override: str, says: str) -> None:
    with pytest.raises(SegadaptError, match=says) as caught:
        check_recipe(load_recipe(str(own / "own.yaml"), [override]), own)
    assert len(str(caught.value).splitlines()) == 1


def test_check_of_a_stage_of_ones_own_is_asked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from own_stage import Confident

    def refuse(self: Any, context: Any, place: str) -> None:
        raise SegadaptError(f"{place}.images: are refused")

    monkeypatch.setattr(Confident, "check", refuse)
    with pytest.raises(SegadaptError, match=r"^stages\.confident\.images: are refused"):
        check_recipe(load_recipe(str(own / "own.yaml")), own)


def test_checkpoint_of_own_classes_predicts_and_scores(own: Path, finished: Path) -> None:
    checkpoint = finished / "3-max-square" / "checkpoint.safetensors"
    image = next((finished / "1-draw" / "scenes" / "images" / "camera_val").glob("*.png"))
    prediction = segadapt.load(checkpoint).predict(image)
    assert prediction.label.shape == (64, 96)
    odd = segadapt.load(checkpoint).predict(np.zeros((61, 35, 3), np.uint8))
    assert odd.label.shape == (61, 35) and np.isfinite(odd.probability).all()
    root = finished / "1-draw" / "scenes"
    split = ("--dataset", "scenes", "--split", "camera_val", "--classes", "street7")
    words = ["evaluate", checkpoint, *split, "--root", root, "--json", own / "scores.json"]
    command = [sys.executable, "-m", "segadapt", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)  # with our PYTHONPATH
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((own / "scores.json").read_text())["scores"]
    (expected,) = (
        x
        for x in json.loads((finished / "7-evaluate" / "report.json").read_text())["scores"]
        if x["checkpoint"] == "max-square"
    )
    assert row["confusion"] == expected["confusion"]


@pytest.mark.parametrize("part", ["own_trunk", "own_head"])
def test_checkpoint_whose_classes_cannot_be_imported_is_told_in_a_sentence(
    finished: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    checkpoint = finished / "3-max-square" / "checkpoint.safetensors"
    monkeypatch.setitem(sys.modules, part, None)
    with pytest.raises(SegadaptError, match=rf"'{part}:\w+': cannot be imported") as caught:
        load_checkpoint(checkpoint)
    assert str(caught.value).startswith(f"{checkpoint}: ")
    assert "PYTHONPATH" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_recipe_in_the_run_folder_is_complete(own: Path, finished: Path) -> None:
    kept = yaml.safe_load((finished / "recipe.yaml").read_text())
    assert kept["stages"]["max-square"]["model"]["backbone"] == "own_trunk:Tiny"
    again = load_recipe(str(finished / "recipe.yaml"))
    assert again == load_recipe(str(own / "own.yaml")).model_copy(
        update={"name": again.name, "description": again.description}
    )
