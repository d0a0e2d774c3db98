"""Whatever files are called, every stage, the report and predictions go through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from harness import Commands, recipe_of, save, street, train, write_recipe

ODD = [
    b"caf\xe9",  # Latin-1, no UTF-8
    b"new\nline",
    b"esc\x1b[31m",
    "quotes'\"&<script>alert(1)</script>".replace("/", "").encode(),
    b"100%25 #1?a=b;c:d*|",
    b"back\\slash",
    b"-dash",
    " blanks \u2028\u00e9\U0001f600".encode(),
    b"l" * 251,
    b"{{ brackets }}[bold]$HOME`id`",
    b"a.b.c",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for part, split, labelled in (
        ("rendered", "train", True),
        ("camvid", "train", False),
        ("camvid", "val", True),
    ):
        for seed, raw in enumerate(ODD):
            image, label = street(seed)
            name = os.fsdecode(raw + b".png")
            save(image, root / part / "images" / split / name)
            if labelled:
                save(label, root / part / "labels" / split / name)
    return root


def everything() -> dict[str, object]:
    return recipe_of(
        {
            "first": train("source_only", iterations=1),
            "rank": {"stage": "rank", "checkpoint": "first.checkpoint", "images": "target"},
            "labels": {
                "stage": "pseudo_label",
                "checkpoint": "first.checkpoint",
                "images": "rank.easy",
            },
            "split": {
                "stage": "pixel_split",
                "checkpoint": "first.checkpoint",
                "images": "target",
            },
            "translate": {
                "stage": "translate",
                "source": "source",
                "target": "target",
                "translation": {"beta": 0.05},
                "workers": 1,
            },
            "second": train("source_only", iterations=1, source="labels.labels"),
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["second.checkpoint"],
                "pictures": len(ODD),
                "workers": 0,
            },
        }
    )


def test_odd_names_go_through_everything(data: Path, tmp_path: Path, commands: Commands) -> None:
    recipe = write_recipe(everything(), tmp_path / "recipe.yaml")
    run = tmp_path / "run"
    for arguments in (
        ("check", recipe, "--data-root", data),
        ("run", recipe, "--data-root", data, "--out", run, "--device", "cpu"),
    ):
        done = commands.call(*arguments)
        assert done.exit_code == 0, done.stderr()
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    checkpoint = run / "1-first/checkpoint.safetensors"
    images = data / "camvid/images/val"
    done = commands.call("predict", checkpoint, images, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr()
    found = sorted(os.listdir(os.fsencode(tmp_path / "out/labels")))
    assert found == sorted(name + b".png" for name in ODD)


def test_folders_with_odd_names(data: Path, tmp_path: Path, commands: Commands) -> None:
    """The data root and the recipe's folder, and that of the run as far as TensorBoard takes it."""
    place, out = tmp_path / os.fsdecode(b"caf\xe9 100%\n[b]#?"), tmp_path / "caf\u00e9 100%\n[b]#?"
    shutil.move(data, place / "data")
    recipe = write_recipe(
        recipe_of({"first": train("source_only", iterations=1)}), place / "recipe.yaml"
    )
    common = (recipe, "--data-root", place / "data")
    for arguments in (
        ("check", *common),
        ("run", *common, "--out", out, "--device", "cpu"),
    ):
        done = commands.call(*arguments)
        assert done.exit_code == 0, done.stderr()
    assert (out / "report.html").is_file()
    done = commands.call("run", *common, "--out", place / "run", "--device", "cpu")
    assert done.exit_code == 0, done.stderr()
    shutil.rmtree(place / "run")
    tracked = ("--out", place / "run", "--device", "cpu", "--track", "tensorboard")
    done = commands.call("run", *common, *tracked)
    assert done.exit_code == 2
    (line,) = done.stderr().splitlines()
    assert "caf\\udce9 100%\\n[b]#?/run: has a name that is no UTF-8" in line
    assert not (place / "run").exists()
    broken = place / "data/rendered/images/train/a.b.c.png"
    broken.write_bytes(b"no image")
    done = commands.call("check", *common)
    assert done.exit_code == 2
    (line,) = done.stderr().splitlines()
    assert "a.b.c.png: the image file cannot be decoded" in line
