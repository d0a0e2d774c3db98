"""From two folders of photographs to a report: ``segadapt new``, ``check``, ``run``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from harness import Commands, save, street

from segadapt.base.classes import CAMVID_11
from segadapt.commands.own_data.machine import fitted
from segadapt.config.load import load_recipe

COLOURS = np.zeros((256, 3), np.uint8)
COLOURS[:11] = CAMVID_11.colours


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """``sim`` with labels in colours, called NAME_mask.png; ``camera`` with few of them."""
    for folder, split, number, labelled in (
        ("sim", "train", 4, True),
        ("camera", "day", 3, False),
        ("camera", "val", 2, True),
    ):
        for i in range(number):
            image, label = street(10 * number + i)
            save(image, tmp_path / folder / "images" / split / f"{i}.png")
            if labelled:
                place = tmp_path / folder / "labels" / split / f"{i}_mask.png"
                save(COLOURS[label], place)
    return tmp_path


def new(commands: Commands, root: Path, *more: object) -> tuple[int | None, str]:
    command = commands.call(
        *("new", root / "mine.yaml", "--source", root / "sim", "--target", root / "camera"),
        *("--minutes", 1, "--device", "cpu", "--weights", "none", *more),
    )
    return command.exit_code, command.stdout() + command.stderr()


def test_the_whole_way(photographs: Path, commands: Commands) -> None:
    code, told = new(commands, photographs)
    assert code == 0, told
    assert "images/day: 3 images without labels, the first 64x96" in told
    assert "its colours are Cityscapes'" in told
    for folder in ("sim", "camera"):
        classes = yaml.safe_load((photographs / folder / "classes.yaml").read_text())
        names = {x["name"] for x in classes["classes"]}
        assert names == {"road", "sky", "building", "vegetation", "car"}
    recipe = load_recipe(str(photographs / "mine.yaml"))
    assert recipe.domains["target"].split == "day" and recipe.domains["test"].split == "val"
    checked = commands.call("check", photographs / "mine.yaml")
    assert checked.exit_code == 0, checked.stderr()
    few = [f"stages.{x}.iterations=2" for x in ("source-only", "advent", "adapted")]
    done = commands.call(
        *("run", photographs / "mine.yaml", "--out", photographs / "run", "--device", "cpu"),
        *(word for setting in few for word in ("--set", setting)),
    )
    assert done.exit_code == 0, done.stderr()
    report = json.loads((photographs / "run/5-evaluate/report.json").read_text())
    assert [x["checkpoint"] for x in report["scores"]] == ["source-only", "advent", "adapted"]
    page = (photographs / "run/report.html").read_text()
    assert "camera val" in page and "folder val" not in page
    code, told = new(commands, photographs)
    assert code == 2 and "exists already" in told


def test_classes_without_known_colours_are_to_be_named(
    photographs: Path, commands: Commands
) -> None:
    for path in list((photographs / "sim/labels/train").iterdir()):
        save(street(int(path.name[0]))[1], path)
    code, told = new(commands, photographs)
    assert code == 2 and "give the classes their names in it" in told
    text = (photographs / "sim/classes.yaml").read_text()
    classes = yaml.safe_load(text)["classes"]
    assert [x["ids"] for x in classes] == [[0], [1], [3], [5], [8], [11]]
    (photographs / "sim/classes.yaml").write_text(text.replace("class-0", "sky"))
    code, told = new(commands, photographs)
    assert code == 0, told


def no_labels(root: Path) -> None:
    for path in (root / "sim/labels/train").iterdir():
        path.unlink()


def other_layout(root: Path) -> None:
    (root / "camera/images").rename(root / "camera/photographs")


def photographs_for_labels(root: Path) -> None:
    for path in (root / "sim/labels/train").iterdir():
        save(np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8), path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (no_labels, "none of its images has a label"),
        (other_layout, "is laid out otherwise; put the images in"),
        (photographs_for_labels, "more than 100 values, which are too many for classes"),
    ],
)
def test_what_cannot_be_is_told(
    photographs: Path, commands: Commands, change: object, sentence: str
) -> None:
    assert callable(change)
    change(photographs)
    code, told = new(commands, photographs)
    assert code == 2 and sentence in told
    assert not (photographs / "mine.yaml").exists()


def test_without_labels_of_the_target_nothing_is_scored(
    photographs: Path, commands: Commands
) -> None:
    for path in (photographs / "camera/labels/val").iterdir():
        path.unlink()
    code, told = new(commands, photographs)
    assert code == 0 and "nothing will be scored" in told
    recipe = load_recipe(str(photographs / "mine.yaml"))
    assert "test" not in recipe.domains and "evaluate" not in recipe.stages
    checked = commands.call("check", photographs / "mine.yaml")
    assert checked.exit_code == 0, checked.stderr()
    assert [*recipe.stages][-1] == "inspect"


@pytest.mark.parametrize(
    ("size", "pixels", "wanted"),
    [((1080, 1920), 160 * 224, (128, 256)), ((96, 64), 10**6, (96, 64))],
)
def test_size_keeps_the_proportions(
    size: tuple[int, int], pixels: int, wanted: tuple[int, int]
) -> None:
    assert fitted(size, pixels) == wanted


def test_help_and_list_alone_say_what_there_is(commands: Commands) -> None:
    assert "Usage: segadapt" in commands.call("help").stdout()
    assert "--data-root" in commands.call("help", "run").stdout()
    assert "segadapt list recipes" in commands.call("list").stdout()


@pytest.mark.parametrize(
    "file", ["annotations/train.json", "Annotations/a.xml", "labels/train/0.txt", "labels/0.txt"]
)
def test_folders_of_boxes_are_told_where_to_begin(
    file: str, photographs: Path, commands: Commands
) -> None:
    path = photographs / "sim" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    code, told = new(commands, photographs)
    assert code == 2 and "sim: holds boxes" in told and "segadapt copy highway-foggy" in told
