"""``check`` and ``run`` say the same of the same data: a warning, or a problem."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Commands, checkpoint_hashes, recipe_of, run_recipe, save, street, train
from PIL import Image

from segadapt.base.classes import CAMVID_11
from segadapt.base.errors import SegadaptError
from segadapt.commands.check import check_recipe
from segadapt.config.load import validate

NAMES = ("sky", "building", "pole", "road")
OWN = "classes:\n" + "".join(
    f"  - {{name: {name}, colour: {list(CAMVID_11.colours[i])}, ids: [{i}]}}\n"
    for i, name in enumerate(NAMES)
)
VOID = "ignore: [4, 5, 6, 7, 8, 9, 10, 11, 255]\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """``sim`` (4 of train) and ``camera`` (3 of train without labels, 2 of val), folders."""
    root = tmp_path / "data"
    for name, split, number, labelled in (
        ("sim", "train", 4, True),
        ("camera", "train", 3, False),
        ("camera", "val", 2, True),
    ):
        for i in range(number):
            image, label = street(10 * number + i)
            label[:4, :4] = 2  # all four classes
            save(image, root / name / "images" / split / f"{i}.png")
            if labelled:
                save(label, root / name / "labels" / split / f"{i}.png")
        (root / name / "classes.yaml").write_text(OWN + VOID)
    return root


def recipe(**stages: Any) -> dict[str, Any]:
    folder = {"dataset": "folder", "size": [64, 96]}
    own = {
        "source": {**folder, "root": "sim", "split": "train", "role": "source"},
        "target": {**folder, "root": "camera", "split": "train", "role": "target"},
        "test": {**folder, "root": "camera", "split": "val", "role": "test"},
    }
    first = train("source_only", iterations=2)  # each image once
    evaluate = {
        "stage": "evaluate",
        "domain": "test",
        "checkpoints": ["first.checkpoint"],
        "workers": 0,
    }
    return recipe_of({"first": first, "evaluate": evaluate} | stages, own)


def no_car(data: Path, content: dict[str, Any]) -> None:
    """A class that a domain lacks."""
    for path in (data / "camera/labels/val").iterdir():
        label = np.array(Image.open(path))
        save(np.where(label == 2, 11, label).astype(np.uint8), path)


def a_few_pixels_off(data: Path, content: dict[str, Any]) -> None:
    path = data / "sim/labels/train/0.png"
    save(np.array(Image.open(path).resize((95, 63), Image.Resampling.NEAREST)), path)


def squeezed(data: Path, content: dict[str, Any]) -> None:
    content["domains"]["source"]["size"] = [64, 64]


def photographs_of_a_phone(data: Path, content: dict[str, Any]) -> None:
    for i in range(3):
        (data / f"camera/images/train/{i}.heic").write_bytes(b"a photograph")
    hidden = data / "camera/images/train/.ipynb_checkpoints"
    hidden.mkdir()
    shutil.copy(data / "camera/images/train/0.png", hidden / "0-checkpoint.png")


def scored_and_trained_on(data: Path, content: dict[str, Any]) -> None:
    shutil.copy(data / "sim/images/train/0.png", data / "camera/images/val/copy.png")
    shutil.copy(data / "sim/labels/train/0.png", data / "camera/labels/val/copy.png")
    os.symlink(data / "sim/images/train/1.png", data / "camera/images/val/link.png")
    shutil.copy(data / "sim/labels/train/1.png", data / "camera/labels/val/link.png")


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (no_car, "no pixel of pole"),
        (a_few_pixels_off, "0.png: is 63x95 (height x width), its image is 64x96"),
        (squeezed, "they are squeezed"),
        (photographs_of_a_phone, "3 files of the form .heic were left out"),
        (
            scored_and_trained_on,
            "2 of the 4 images of domain 'test' that are scored are trained on",
        ),
    ],
)
def test_a_warning_is_told_and_the_run_goes_on(
    own: Path,
    tmp_path: Path,
    change: Callable[[Path, dict[str, Any]], None],
    warning: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = recipe()
    content["stages"]["adapted"] = train("advent", iterations=1)
    change(own, content)
    check_recipe(validate(content, "own"), own)
    told = capsys.readouterr().out
    assert warning in told and "no problems, " in told
    run_recipe(content, tmp_path / "run", own)
    report = json.loads((tmp_path / "run/2-evaluate/report.json").read_text())
    (score,) = report["scores"]
    assert score["oracle"] == (change is scored_and_trained_on)


def turned_label(data: Path, content: dict[str, Any]) -> None:
    path = data / "sim/labels/train/0.png"
    save(np.array(Image.open(path)).T.copy(), path)


def turned_label_of_the_domains_size(data: Path, content: dict[str, Any]) -> None:
    """The size that images are resized to is no excuse."""
    content["domains"]["source"]["size"] = [96, 64]
    for path in (data / "sim/labels/train").iterdir():
        save(np.array(Image.open(path)).T.copy(), path)


def jpeg_labels(data: Path, content: dict[str, Any]) -> None:
    for path in (data / "sim/labels/train").iterdir():
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()


def two_labels(data: Path, content: dict[str, Any]) -> None:
    path = data / "sim/labels/train/0.png"
    shutil.copy(path, path.with_name("0_mask.png"))
    path.rename(path.with_name("0_label.png"))


def no_label(data: Path, content: dict[str, Any]) -> None:
    (data / "sim/labels/train/0.png").unlink()


def tiny(data: Path, content: dict[str, Any]) -> None:
    content["domains"]["source"]["size"] = None
    content["stages"]["first"]["batch_size"] = 1
    for folder in ("images", "labels"):
        path = data / f"sim/{folder}/train/0.png"
        save(np.array(Image.open(path))[:20, :30].copy(), path)


def a_part_without_images(data: Path, content: dict[str, Any]) -> None:
    for i in (1, 2):
        (data / f"camera/images/train/{i}.png").unlink()
    content["stages"]["rank"] = {
        "stage": "rank",
        "checkpoint": "first.checkpoint",
        "images": "target",
    }
    content["stages"]["labels"] = {
        "stage": "pseudo_label",
        "checkpoint": "first.checkpoint",
        "images": "rank.easy",
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (turned_label, r"0\.png: is 96x64 \(height x width\) but its image"),
        (turned_label_of_the_domains_size, r"\.png: is 96x64 .* is 64x96; they must be equal"),
        (jpeg_labels, r"of a form that changes the ids stored in it, first .*\.jpg"),
        (two_labels, r"more than one label file for 1 image, first .0.: 0_label\.png, 0_mask\.png"),
        (no_label, "have no label file|label file is missing"),
        (tiny, r"0\.png, which is 20x30 \(height x width\); at least 32 pixels"),
        (a_part_without_images, "0.67 of 1 image leaves no easy one, and rank.easy is used"),
    ],
)
def test_a_problem_is_one_for_both(
    own: Path,
    tmp_path: Path,
    change: Callable[[Path, dict[str, Any]], None],
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = recipe()
    change(own, content)
    with pytest.raises(SegadaptError) as checked:
        check_recipe(validate(content, "own"), own)
    assert re.search(problem, f"{capsys.readouterr().out} {checked.value}")
    with pytest.raises(SegadaptError, match=problem):
        run_recipe(content, tmp_path / "run", own)


def test_check_goes_on_after_a_problem(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label of wrong ids, and a setting that is found wrong afterwards."""
    content = recipe(late=train("source_only", batch_size=3, jitter={"shift": 0.1}))
    content["stages"]["late"]["method"] = "pixintrada"
    save(np.full((64, 96), 77, np.uint8), own / "sim/labels/train/0.png")
    with pytest.raises(SegadaptError, match=r"2 problems found, first .*label id 77"):
        check_recipe(validate(content, "own"), own)
    told = capsys.readouterr().out
    assert "label id 77" in told and "stages.late" in told


@pytest.mark.parametrize(
    "ending", [".PNG", ".tif", "_mask.png", "_labelIds.png", "_gtFine_labelIds.png"]
)
def test_labels_are_found_under_the_names_that_people_give(
    own: Path, tmp_path: Path, ending: str
) -> None:
    for path in list((own / "sim/labels/train").iterdir()):
        other = path.with_name(path.stem + ending)
        Image.open(path).save(other, format="TIFF" if ending == ".tif" else "PNG")
        if other != path:
            path.unlink()
    check_recipe(validate(recipe(), "own"), own)
    run_recipe(recipe(), tmp_path / "run", own)


def test_colour_labels_train_as_ids_do(own: Path, tmp_path: Path) -> None:
    run_recipe(recipe(), tmp_path / "ids", own)
    table = np.zeros((256, 3), np.uint8)
    table[:4] = CAMVID_11.colours[:4]
    for path in (own / "sim/labels/train").iterdir():
        save(table[np.array(Image.open(path))], path)
    run_recipe(recipe(), tmp_path / "colours", own)
    assert checkpoint_hashes(tmp_path / "ids") == checkpoint_hashes(tmp_path / "colours")


def test_small_pictures_are_predicted_and_ids_are_those_of_the_data(
    own: Path, tmp_path: Path, commands: Commands
) -> None:
    run_recipe(recipe(), tmp_path / "run", own)
    (own / "camera/classes.yaml").write_text(
        OWN.replace("ids: [0]", "ids: [10]").replace("ids: [3]", "ids: [300]")
    )
    save(np.zeros((7, 5, 3), np.uint8), tmp_path / "tiny.png")
    command = commands.call(
        *("predict", tmp_path / "run/1-first/checkpoint.safetensors", tmp_path / "tiny.png"),
        *("--out", tmp_path / "out", "--label-ids", own / "camera", "--device", "cpu"),
    )
    assert command.exit_code == 0, command.stderr()
    assert "\n1 image: " in f"\n{command.stdout()}"
    found = np.array(Image.open(tmp_path / "out/labels/tiny.png"))
    assert found.shape == (7, 5) and set(np.unique(found)) <= {10, 1, 2, 300}
    wrong = commands.call(
        *("predict", tmp_path / "run/1-first/checkpoint.safetensors", tmp_path / "tiny.png"),
        *("--out", tmp_path / "out", "--label-ids", "cityscapes", "--device", "cpu"),
    )
    assert wrong.exit_code == 2 and "has other classes than the checkpoint" in wrong.stderr()
