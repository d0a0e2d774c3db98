"""Images that are scored and trained on with their labels are found, and marked in the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from harness import domains, recipe_of, run_recipe, train, write_camvid

from segadapt.commands.check import check_recipe
from segadapt.config.load import validate
from segadapt.models.files.checkpoints import load_checkpoint


def scoring(stages: dict[str, Any], *checkpoints: str, **changed: Any) -> dict[str, Any]:
    evaluate = {
        "stage": "evaluate",
        "domain": "test",
        "checkpoints": [f"{name}.checkpoint" for name in checkpoints],
        "pictures": 1,
    }
    return recipe_of({**stages, "evaluate": evaluate}, domains(**changed))


def scores(run: Path) -> dict[str, dict[str, Any]]:
    (report,) = run.glob("*-evaluate/report.json")
    return {row["checkpoint"]: row for row in json.loads(report.read_text())["scores"]}


def test_scored_images_that_are_trained_on_are_told_and_marked(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two of the three are in the source under other names; pseudo-labels do not wash that off."""
    for part in ("images", "labels"):
        for name in ("000", "001"):
            copied = data / f"camvid/{part}/val/{name}.png"
            shutil.copy(copied, data / f"rendered/{part}/train/again-{name}.png")
    recipe = scoring(
        {
            "first": train("source_only", iterations=1),
            "honest": train("source_only", iterations=1, source="clean"),
            "labels": {
                "stage": "pseudo_label",
                "checkpoint": "first.checkpoint",
                "images": "target",
            },
            "student": train("source_only", iterations=1, source="labels.labels"),
        },
        "honest",
        "first",
        "student",
        clean={**domains()["source"], "limit": 6},
    )
    says = "2 of the 3 images of domain 'test' that are scored are trained on with their labels"
    check_recipe(validate(recipe, "tiny"), data)
    assert says in capfd.readouterr().out
    run = run_recipe(recipe, tmp_path / "run", data)
    assert says in capfd.readouterr().out
    found = {k: (v["oracle"], v["scored_and_trained_on"]) for k, v in scores(run).items()}
    assert found == {"honest": (False, 0), "first": (True, 2), "student": (True, 2)}
    page = (run / "report.html").read_text()
    assert page.count("trained on 2 of the scored images") >= 2
    assert "honest reaches" in page and says in page.replace("&#39;", "'")


def test_oracle_on_other_images_is_no_leak_but_stays_marked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    write_camvid(root / "rendered", "train", range(6))
    write_camvid(root / "camvid", "train", range(20, 25), tint=30)
    write_camvid(root / "camvid", "val", range(40, 43), tint=30)
    recipe = scoring(
        {
            "upper": train("source_only", iterations=1, source="target", oracle=True),
            "further": train("source_only", iterations=1, start_from="upper.checkpoint"),
        },
        "upper",
        "further",
    )
    check_recipe(validate(recipe, "tiny"), root)
    assert "trained on" not in capfd.readouterr().out
    run = run_recipe(recipe, tmp_path / "run", root)
    found = {k: (v["oracle"], v["scored_and_trained_on"]) for k, v in scores(run).items()}
    assert found == {"upper": (True, 0), "further": (True, 0)}
    assert load_checkpoint(run / "2-further/checkpoint.safetensors").oracle
    assert "upper (oracle)" in (run / "report.html").read_text()


def test_source_that_is_scored_by_its_name_is_no_test(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = scoring({"first": train("source_only", iterations=1)}, "first")
    recipe["stages"]["evaluate"]["domain"] = "source"
    check_recipe(validate(recipe, "tiny"), data)
    assert "trained on" not in capsys.readouterr().out
