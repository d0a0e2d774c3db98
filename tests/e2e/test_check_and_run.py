"""``check`` refuses what ``run`` refuses, and nothing else; what is odd both tell and take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Commands, domains, recipe_of, run_recipe, save, street, train
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.commands.check import check_recipe
from segadapt.config.load import validate

Change = Callable[[Path, dict[str, Any]], None]


def scored() -> dict[str, Any]:
    """A training and its score."""
    return recipe_of(
        {
            "first": train("source_only", iterations=1),
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["first.checkpoint"],
            },
        },
        {k: v for k, v in domains().items() if k != "target"},
    )


def absent_class(data: Path, recipe: dict[str, Any]) -> None:
    pass  # the streets have five of eleven classes


def label_off_by_one(data: Path, recipe: dict[str, Any]) -> None:
    path = data / "rendered/labels/train/001.png"
    save(np.pad(np.array(Image.open(path)), ((0, 0), (0, 1)), mode="edge"), path)


def heic(data: Path, recipe: dict[str, Any]) -> None:
    for number in range(12):
        (data / f"rendered/images/train/{number}.heic").write_bytes(b"x")


def squeezing(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["source"]["size"] = [64, 64]


def damaged_but_unused(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["other"] = {**recipe["domains"]["source"], "root": "nowhere"}


TAKEN: dict[str, tuple[Change, str]] = {
    "class that no label has": (absent_class, "no pixel of pole"),
    "label a pixel off": (label_off_by_one, "is 64x97"),
    "pictures in forms that are not read": (heic, "12 files of the form .heic were left out"),
    "size of other proportions": (squeezing, "size [64, 64]"),
    "domain that no stage uses": (damaged_but_unused, "domain 'other': is used by no stage"),
}
TOLD_BY_RUN = {"pictures in forms that are not read", "size of other proportions"}


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_odd_is_told_and_taken(
    case: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    change, says = TAKEN[case]
    recipe = scored()
    change(data, recipe)
    check_recipe(validate(recipe, "tiny"), data)
    told = capfd.readouterr().out
    assert says in told and "no problems, " in told and "warning" in told
    run = run_recipe(recipe, tmp_path / "run", data)
    assert (run / "2-evaluate/report.json").is_file()
    out = capfd.readouterr().out
    if case in TOLD_BY_RUN:
        assert says in out.partition("warning: ")[2]
        assert any(says in x for x in json.loads((run / "run.json").read_text())["warnings"])
        assert says in (run / "report.html").read_text()
    else:
        assert "warning: " not in out


def test_warnings_are_counted(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = scored()
    for domain in recipe["domains"].values():
        domain["classes"] = "street7"
    recipe["domains"]["source"] |= {"limit": 2}
    check_recipe(validate(recipe, "tiny"), data)
    out = capsys.readouterr().out
    assert "no problems, 2 warnings" in out  # roadside objects alone are absent, twice


def test_check_goes_on_and_reports_everything(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = recipe_of(
        {
            "first": train("source_only", model={"backbone": "squeezenet1_0", "weights": "no.pth"}),
            "second": train("minent", batch_size=2, optimizer={"name": "adamw", "lr": 1e-4}),
        },
        domains(target={"split": "trian"}, test={"classes": "street7"}),
    )
    recipe["stages"]["evaluate"] = {
        "stage": "evaluate",
        "domain": "test",
        "checkpoints": ["second.checkpoint"],
    }
    (data / "rendered/images/train/002.png").write_bytes(b"no image")
    image, label = street(9, size=(80, 96))
    save(label, data / "rendered/labels/train/003.png")
    del image
    with pytest.raises(SegadaptError, match=r"^5 problems found, first .*002\.png") as caught:
        check_recipe(validate(recipe, "tiny"), data)
    assert len(str(caught.value).splitlines()) == 1
    out = capsys.readouterr().out
    for says in (
        "002.png: the image file cannot be decoded",
        "003.png: is 80x96",
        "images/trian: there is no such folder",
        "no.pth",
        "stages.evaluate: 'test' has 7 classes",
    ):
        assert says in out
    with pytest.raises(SegadaptError, match=r"images/trian: there is no such folder"):
        run_recipe(recipe, tmp_path / "run", data)


def no_label(data: Path, recipe: dict[str, Any]) -> None:
    (data / "rendered/labels/train/002.png").unlink()


def turned_label(data: Path, recipe: dict[str, Any]) -> None:
    path = data / "rendered/labels/train/001.png"
    save(np.array(Image.open(path)).T.copy(), path)


def turned_label_of_the_size(data: Path, recipe: dict[str, Any]) -> None:
    """All images lie, all labels stand, and the domain's size is that of the labels."""
    recipe["domains"]["source"]["size"] = [96, 64]
    for path in (data / "rendered/labels/train").iterdir():
        save(np.array(Image.open(path)).T.copy(), path)


def lossy_label(data: Path, recipe: dict[str, Any]) -> None:
    path = data / "rendered/labels/train/002.png"
    Image.open(path).save(path.with_suffix(".jpg"))
    path.unlink()


def unknown_class_map(data: Path, recipe: dict[str, Any]) -> None:
    recipe["domains"]["test"]["classes"] = "street8"


REFUSED: dict[str, tuple[Change, str]] = {
    "label missing": (no_label, "002.png"),
    "label turned": (turned_label, "is 96x64 (height x width) but its image"),
    "all labels turned": (turned_label_of_the_size, "is 96x64 (height x width) but its image"),
    "lossy label": (lossy_label, "changes the ids"),
    "class map": (unknown_class_map, "'street8'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_check_refuses_run_refuses(case: str, data: Path, tmp_path: Path) -> None:
    change, says = REFUSED[case]
    recipe = scored()
    recipe["stages"]["first"]["iterations"] = 3
    change(data, recipe)
    for refused in (
        lambda: check_recipe(validate(recipe, "tiny"), data),
        lambda: run_recipe(recipe, tmp_path / "run", data),
    ):
        with pytest.raises(SegadaptError) as caught:
            refused()
        assert says in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_labels_that_no_stage_opens_need_not_be_there(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = scored()
    recipe["domains"]["target"] = domains()["target"]
    recipe["stages"]["rank"] = {
        "stage": "rank",
        "checkpoint": "first.checkpoint",
        "images": "target",
    }
    check_recipe(validate(recipe, "tiny"), data)
    assert "domain 'target': 5 images (labels are never opened)" in capsys.readouterr().out
    run_recipe(recipe, tmp_path / "run", data)


def test_images_are_looked_at_where_labels_cannot_be_paired(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = scored()
    lossy_label(data, recipe)
    (data / "rendered/images/train/004.png").write_bytes(b"no image")
    with pytest.raises(SegadaptError, match=r"^2 problems found"):
        check_recipe(validate(recipe, "tiny"), data)
    out = capsys.readouterr().out
    assert "changes the ids" in out and "004.png: the image file cannot be decoded" in out


def test_predict_and_evaluate_tell_what_they_leave_out(
    data: Path, tmp_path: Path, commands: Commands
) -> None:
    run = run_recipe(recipe_of({"first": train("source_only", iterations=1)}), tmp_path / "r", data)
    checkpoint, images = run / "1-first/checkpoint.safetensors", data / "camvid/images/val"
    for number in range(3):
        (images / f"{number}.heic").write_bytes(b"x")
    done = commands.call("predict", checkpoint, images, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr()
    assert f"warning: {images}: 3 files of the form .heic were left out" in done.stdout()
    root = ("--root", data / "camvid", "--split", "val")
    done = commands.call("evaluate", checkpoint, "--dataset", "camvid", *root)
    assert done.exit_code == 0, done.stderr()
    assert "warning: camvid val: 3 files of the form .heic were left out" in done.stdout()
