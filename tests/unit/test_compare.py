"""Runs set side by side, and many gathered: hand-made folders with scores that are easily added."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.commands.compare import compare_runs
from segadapt.commands.summarise import summarise_runs
from segadapt.report.comparison import LAST, compared, difference
from segadapt.report.run_groups import find_groups
from segadapt.report.run_settings import differences, short_names

ROAD, CAR = [128, 64, 128], [0, 0, 142]
MEASURES = {
    "mIoU": ("miou", "iou"),
    "AP50": ("ap50", "class_ap50"),
    "accuracy": ("pixel_accuracy", "iou"),
}


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def make_run(
    folder: Path,
    scores: dict[str, list[float]],
    seed: int = 0,
    lr: float = 0.1,
    measure: str = "mIoU",
    classes: tuple[str, ...] = ("road", "<car>"),
    finished: bool = True,
    **report: Any,
) -> Path:
    """A run of two stages; `scores` are those of the classes by checkpoint, and their mean."""
    stages = {
        "advent": {"stage": "train", "optimizer": {"lr": lr}, "workers": seed},
        "evaluate": {"stage": "evaluate", "domain": "test"},
    }
    info = {"recipe": "mine", "seed": seed, "command": "segadapt run mine", "precision": "32-true"}
    write(folder / "run.json", {**info, "fingerprints": {name: name for name in stages}})
    recipe = {"name": "mine", "description": str(seed), "domains": {}, "stages": stages}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    for number, (name, stage) in enumerate(stages.items(), 1):
        if name == "evaluate" and not finished:
            continue
        manifest = {"name": name, "stage": stage["stage"], "seconds": 60.0, "fingerprint": name}
        write(folder / f"{number}-{name}" / "manifest.json", {**manifest, "settings": stage})
    if not finished:
        return folder
    mean, each = MEASURES[measure]
    rows = [
        {"checkpoint": name, "oracle": name == "oracle", mean: sum(v) / len(v), each: v}
        for name, v in scores.items()
    ]
    result = {"domain": "test val", "classes": classes, "colours": [ROAD, CAR][: len(classes)]}
    result |= {"measure": measure, "absent_rule": "Rule.", "scores": rows, "images": 8, **report}
    write(folder / "2-evaluate" / "report.json", result)
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two learning rates with the seeds 0 and 10 each."""
    for seed, low, high in ((0, 0.30, 0.50), (10, 0.40, 0.62)):
        make_run(tmp_path / f"runs/a/seed-{seed}", {"advent": [low, low]}, seed)
        make_run(tmp_path / f"runs/b/seed-{seed}", {"advent": [high - 0.1, high + 0.1]}, seed, 0.2)
    return tmp_path / "runs"


def test_runs_that_differ_by_their_seed_alone_are_one(sweep: Path) -> None:
    (sweep / "latest").symlink_to(sweep / "b")
    groups = find_groups([sweep])
    assert [(group.label, group.seeds) for group in groups] == [("a", [0, 10]), ("b", [0, 10])]
    (found,) = differences([group.settings for group in groups])
    assert (found.key, found.values) == ("stages.advent.optimizer.lr", ["0.1", "0.2"])


def test_a_seed_that_is_there_twice_is_no_further_draw(sweep: Path) -> None:
    make_run(sweep / "again", {"advent": [0.1, 0.1]}, seed=10)
    assert [group.seeds for group in find_groups([sweep])] == [[0, 10], [0, 10], [10]]


def test_differences_are_taken_seed_by_seed(sweep: Path) -> None:
    (evaluation,) = compared(find_groups([sweep]))
    (line,) = evaluation.lines
    first, other = line.entries
    assert first is not None and first.difference is None
    assert first.value.mean == pytest.approx(0.35)
    assert other is not None and other.difference is not None
    # 0.20 and 0.22: mean 0.21, deviation 0.02 / sqrt(2)
    assert other.difference.mean == pytest.approx(0.21)
    assert other.difference.deviation == pytest.approx(0.02 / 2**0.5)
    road = other.class_differences[0]
    assert road is not None and road.mean == pytest.approx(0.11)


def test_of_different_seeds_the_means_are_compared() -> None:
    found = difference({0: 0.1, 1: 0.3}, {2: 0.5, 3: 0.9})
    assert found.mean == pytest.approx(0.5)
    assert found.deviation == pytest.approx((0.02 + 0.08) ** 0.5)  # variances add
    assert difference({0: 0.1}, {1: 0.3, 2: 0.4}).deviation is None


def test_last_stages_of_other_names_are_set_against_each_other(tmp_path: Path) -> None:
    a = make_run(tmp_path / "a", {"advent": [0.3, 0.3], "oracle": [0.9, 0.9]})
    b = make_run(tmp_path / "b", {"dacs": [0.4, 0.6]}, lr=0.2)
    (evaluation,) = compared(find_groups([a, b]))
    assert [line.name for line in evaluation.lines] == ["advent", "oracle", "dacs", LAST]
    entry = evaluation.lines[-1].entries[1]
    assert evaluation.main is evaluation.lines[-1]
    assert entry is not None and entry.difference is not None
    assert entry.difference.mean == pytest.approx(0.2)  # the oracle is no last stage


def test_page_and_table(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare_runs([sweep], tmp_path / "deep/page.html")
    page = (tmp_path / "deep/page.html").read_text()
    assert "&lt;car&gt;" in page and "<car>" not in page
    assert "35.0 ± 7.1" in page and "+21.0 ± 1.4" in page
    assert not {"http:", "https:", 'src="/'} & set(page.split())
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "+21.0 ± 1.4" in said and "stages.advent.optimizer.lr" in said
    assert "B +21.0 ± 1.4 mIoU points over A, after AdvEnt on test val." in " ".join(said.split())


def test_the_same_pictures_stand_side_by_side(tmp_path: Path) -> None:
    folders = []
    for name, names in (("a", ["one", "two"]), ("b", ["two", "three"])):
        drawn = [
            {
                "name": n,
                "image": "x.png",
                "truth": None,
                "predictions": {"advent": {"label": "x.png"}},
            }
            for n in names
        ]
        lr = 0.1 if name == "a" else 0.2
        run = make_run(tmp_path / name, {"advent": [0.3, 0.3]}, lr=lr, pictures=drawn)
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(run / "2-evaluate/x.png")
        folders.append(run)
    compare_runs(folders, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert [n for n in ("one", "two", "three") if f"<h3>{n}</h3>" in page] == ["two"]
    assert "no labels" in page and "A, AdvEnt" in page and "B, AdvEnt" in page


@pytest.mark.parametrize(
    ("measure", "classes", "word"),
    [("AP50", ("road", "<car>"), "AP50 of"), ("accuracy", ("0", "1"), "accuracy")],
)
def test_boxes_and_digits(
    measure: str, classes: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    same: dict[str, Any] = {"measure": measure, "classes": classes}
    a = make_run(tmp_path / "a", {"advent": [0.3, 0.5]}, **same)
    b = make_run(tmp_path / "b", {"advent": [0.5, 0.9]}, lr=0.2, **same)
    compare_runs([a, b], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert f"{measure} points over A" in page and "+30.0" in page and "IoU" not in page


def test_an_unfinished_run_is_told_and_the_others_compared(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(sweep / "b/seed-11", {}, seed=11, lr=0.2, finished=False)
    compare_runs([sweep], tmp_path / "page.html")
    told = "seed-11: is not finished (1 of 2 stages)"
    assert told in (tmp_path / "page.html").read_text()
    summarise_runs([sweep])
    assert capsys.readouterr().out.count(told) == 2


def test_numbers_of_images_that_differ_are_told(tmp_path: Path) -> None:
    a = make_run(tmp_path / "a", {"advent": [0.3, 0.3]})
    b = make_run(tmp_path / "b", {"advent": [0.3, 0.3]}, lr=0.2, images=9)
    compare_runs([a, b], tmp_path / "page.html")
    assert "different numbers of images (8, 9)" in (tmp_path / "page.html").read_text()


def others(folder: Path, **settings: Any) -> list[Path]:
    a = make_run(folder / "a", {"advent": [0.3, 0.3]})
    return [a, make_run(folder / "b", {"advent": [0.3, 0.3]}, lr=0.2, **settings)]


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (lambda x: others(x, measure="AP50"), "scored by mIoU and AP50"),
        (lambda x: others(x, classes=("road", "bus")), "different classes"),
        (lambda x: others(x, domain="other val"), "scored on different images"),
        (lambda x: others(x)[:1], "nothing to set beside it"),
        (lambda x: [*others(x), x / "b"], "named twice"),
        (lambda x: [*others(x), x], "named twice"),
        (lambda x: [*others(x), x / "none"], "holds no run"),
    ],
)
def test_what_cannot_be_compared_is_said(
    folders: Callable[[Path], list[Path]], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(SegadaptError, match=sentence):
        compare_runs(folders(tmp_path), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("damage", ["run.json", "recipe.yaml"])
def test_damaged_runs_are_said(damage: str, tmp_path: Path) -> None:
    folders = others(tmp_path)
    (folders[1] / damage).write_text("{")
    with pytest.raises(SegadaptError, match=damage):
        compare_runs(folders, tmp_path / "page.html")


def test_summary_has_a_line_per_setting(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summarise_runs([sweep], tmp_path / "all.csv")
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["stages.advent.optimizer.lr"] for row in rows] == ["0.1", "0.2"]
    assert [row["mean"] for row in rows] == ["35.00", "56.00"]
    assert [row["values"] for row in rows] == ["30.00 40.00", "50.00 62.00"]
    assert rows[0]["seeds"] == "0 10"
    said = capsys.readouterr().out
    assert "35.0 ± 7.1" in said and "10: 62.0" in said and " lr " in said


def test_runs_of_other_classes_are_gathered_in_tables_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summarise_runs(others(tmp_path, measure="AP50"))
    said = capsys.readouterr().out
    assert "mine: mIoU on test val" in said and "mine: AP50 on test val" in said


def test_keys_are_cut_as_far_as_they_stay_different() -> None:
    assert short_names(["a.b.lr", "a.c.lr", "a.c.beta"]) == ["b.lr", "c.lr", "beta"]


def test_a_stage_that_one_recipe_lacks_is_one_setting() -> None:
    found = differences([{"stages": {"a": {"x": 1, "y": 2}}}, {"stages": {}}])
    assert [(row.key, row.values) for row in found] == [("stages.a", ["{x: 1, y: 2}", "–"])]
