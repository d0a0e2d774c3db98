"""Runs whose target has no labels at all: what they print, and the page that they end in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Commands, domains, recipe_of, run_recipe, train, write_data, write_recipe

from segadapt.base.errors import SegadaptError


def recipe(**inspect: Any) -> dict[str, Any]:
    stages = {
        "source-only": train("source_only", iterations=2),
        "advent": train("advent", iterations=2, start_from="source-only.checkpoint", snapshots=2),
        "select": {"stage": "select", "snapshots": "advent.snapshots", "images": "target"},
        "inspect": {
            "stage": "inspect",
            "checkpoints": ["source-only.checkpoint", "advent.checkpoint", "select.checkpoint"],
            "images": "target",
            "source": "source",
            "pictures": 2,
            "workers": 0,
        }
        | inspect,
    }
    without_test = {name: x for name, x in domains().items() if name != "test"}
    return recipe_of(stages, without_test)


def test_the_page_and_what_is_printed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_recipe(recipe(), tmp_path / "run", data)
    told = capsys.readouterr().out
    plan, _, rest = told.partition("reckoned from one image")
    results = rest[rest.rindex("camvid train") :]
    for part in (plan.replace(str(tmp_path), ""), results):
        assert all(len(line) <= 80 for line in part.splitlines()), told
    assert "tiny, seed 0, on cpu, 32-true" in told
    assert "source 6, target 5" in plan
    assert "no target labels" in told.splitlines()[-1]
    found = json.loads((run / "4-inspect/inspection.json").read_text())
    height, width, images = 64, 96, 5
    for row in found["checkpoints"]:
        assert sum(row["counts"]) == images * height * width
        assert 0 <= -row["mean_entropy"] <= 1
    assert len(found["images"]) == images
    # 10 percent of each source label is of no class.
    assert found["source"]["images"] == 6
    assert sum(found["source"]["counts"]) == 6 * (height - 6) * width
    for place in range(3):
        assert found["agreement"][place][place] == 1.0
    assert found["agreement"][0][1] == found["agreement"][1][0]
    page = (run / "report.html").read_text()
    assert "No target labels, so no mIoU" in page
    assert "after 2 iterations; nothing chose it" in page
    assert "chosen by information maximisation, without target labels" in page
    assert "Where select differs most from source-only" in page
    assert "Over the training" in page


def test_one_checkpoint_alone(data: Path, tmp_path: Path) -> None:
    content = recipe(checkpoints=["source-only.checkpoint"], source=None)
    del content["stages"]["advent"], content["stages"]["select"]
    run = run_recipe(content, tmp_path / "run", data)
    page = (run / "report.html").read_text()
    assert "source-only is shown on" in page and "differs" not in page.partition("<main>")[2]


def test_a_run_that_looks_at_nothing_says_which_stage_would(data: Path, tmp_path: Path) -> None:
    content = recipe()
    content["stages"] = {"source-only": content["stages"]["source-only"]}
    run = run_recipe(content, tmp_path / "run", data)
    page = (run / "report.html").read_text()
    assert "No target labels: nothing says how good the result is." in page
    assert "stage: inspect" in page


def test_a_stage_is_named_once(data: Path, tmp_path: Path) -> None:
    content = recipe(checkpoints=["advent.checkpoint", "advent.checkpoint"])
    with pytest.raises(SegadaptError, match=r"checkpoints: 'advent' stands there more than once"):
        run_recipe(content, tmp_path / "run", data)


def test_labels_are_not_touched_and_a_stopped_inspection_goes_on(
    tmp_path: Path, commands: Commands
) -> None:
    root = write_data(tmp_path / "data", target_labels=False)
    file = write_recipe(recipe(), tmp_path / "recipe.yaml")
    run = ("run", file, "--data-root", root, "--out", tmp_path / "run", "--device", "cpu")
    first = commands.call(*run)
    assert first.exit_code == 0, first.stderr()
    before = (tmp_path / "run/4-inspect/inspection.json").read_text()
    again = commands.call(*run, "--redo", "inspect")
    assert again.exit_code == 0 and "done before" in again.stdout()
    assert (tmp_path / "run/4-inspect/inspection.json").read_text() == before
