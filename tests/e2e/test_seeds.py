"""Several seeds of one recipe: runs, resumption, and the summary's numbers."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from harness import domains, recipe_of, snapshot, train, write_data, write_recipe

from segadapt.base.errors import SegadaptError
from segadapt.commands.evaluate import checkpoint_files
from segadapt.commands.seeds import parse_seeds, run_seeds
from segadapt.report.summary import build_summary, is_summary


def recipe() -> dict[str, Any]:
    return recipe_of(
        {
            "source-only": train("source_only"),
            "oracle": train("source_only", source="target", oracle=True),
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["source-only.checkpoint", "oracle.checkpoint"],
                "pictures": 1,
                "workers": 0,
            },
        },
        domains(),
    )


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), target_labels=True)


@pytest.fixture(scope="module")
def finished(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    path = write_recipe(recipe(), folder / "recipe.yaml")
    return run_seeds(str(path), [0, 3], folder / "out", data_root, device="cpu")


def scores_of(finished: Path, seed: int) -> dict[str, float]:
    (path,) = (finished / f"seed-{seed}").glob("*-evaluate/report.json")
    return {row["checkpoint"]: row["miou"] for row in json.loads(path.read_text())["scores"]}


def test_every_seed_has_a_run_of_its_own(finished: Path) -> None:
    seeds = [json.loads(p.read_text())["seed"] for p in sorted(finished.glob("seed-*/run.json"))]
    assert seeds == [0, 3]
    weights = [(finished / f"seed-{s}/1-source-only/checkpoint.safetensors") for s in (0, 3)]
    assert weights[0].read_bytes() != weights[1].read_bytes()


def test_summary_holds_means_deviations_and_paired_gains(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["seeds"] == [0, 3]
    first, second = summary["evaluations"][0]["rows"]
    by_seed = [scores_of(finished, seed) for seed in (0, 3)]
    for row in (first, second):
        values = [scores[row["checkpoint"]] for scores in by_seed]
        assert row["value"]["values"] == values
        assert row["value"]["mean"] == pytest.approx(statistics.mean(values))
        assert row["value"]["deviation"] == pytest.approx(statistics.stdev(values))
    assert first["gain"] is None and second["oracle"]
    gains = [scores["oracle"] - scores["source-only"] for scores in by_seed]
    assert second["gain"]["mean"] == pytest.approx(statistics.mean(gains))
    assert second["gain"]["deviation"] == pytest.approx(statistics.stdev(gains))
    assert "oracle (target labels)" in (finished / "summary.md").read_text()
    assert "seed-3/report.html" in (finished / "report.html").read_text()


def test_same_call_again_changes_no_stage_and_a_further_seed_joins(
    finished: Path, data_root: Path
) -> None:
    path = str(finished.parent / "recipe.yaml")

    def stages() -> dict[str, Any]:
        found = snapshot(finished)
        return {k: v for k, v in found.items() if k.count("/") > 1 and not k.startswith("seed-1/")}

    before = stages()
    run_seeds(path, [0, 1], finished, data_root, device="cpu")
    assert json.loads((finished / "summary.json").read_text())["seeds"] == [0, 1, 3]
    assert before and stages() == before


def test_unfinished_runs_leave_their_evaluations_out(tmp_path: Path) -> None:
    (tmp_path / "seed-0").mkdir()
    info: dict[str, Any] = {"recipe": "mine", "description": "", "seed": 0, "precision": "32-true"}
    info["hardware"] = {"device": "cpu", "cpu": "a processor", "cores": 2}
    (tmp_path / "seed-0" / "run.json").write_text(json.dumps(info))
    assert is_summary(tmp_path) and not is_summary(tmp_path / "seed-0")
    build_summary(tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text())["evaluations"] == []
    assert "Nothing is scored" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("text", "wanted"), [("1", [0]), ("3", [0, 1, 2]), ("0,4,7", [0, 4, 7]), ("5,", None)]
)
def test_seeds_are_a_number_or_a_list(text: str, wanted: list[int] | None) -> None:
    if wanted is None:
        with pytest.raises(SegadaptError, match="--seeds"):
            parse_seeds(text)
    else:
        assert parse_seeds(text) == wanted


@pytest.mark.parametrize("text", ["0", "-1", "x", "1,1", "2,-3", ""])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SegadaptError, match="give how many"):
        parse_seeds(text)


def test_copies_of_folders_are_no_results(finished: Path, tmp_path: Path) -> None:
    """People keep them beside what they are copies of."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    before = json.loads((out / "summary.json").read_text())["seeds"]
    shutil.copytree(out / "seed-0", out / "seed-0-backup")
    shutil.copytree(out / "seed-0" / "1-source-only", out / "seed-0" / "old")
    build_summary(out)
    assert json.loads((out / "summary.json").read_text())["seeds"] == before
    assert [p.parent.name for p in checkpoint_files(out / "seed-0").values()] == [
        "1-source-only",
        "2-oracle",
    ]
