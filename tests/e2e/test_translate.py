"""Translated images take the source's place, with its names and labels."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import recipe_of, run_recipe, train, write_data
from PIL import Image

from segadapt.base.classes import CAMVID_11
from segadapt.base.errors import SegadaptError
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Domain, Sample
from segadapt.stages.translate.translators import counterparts


def stages(translation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "translate": {
            "stage": "translate",
            "source": "source",
            "target": "target",
            "translation": translation,
            "workers": 1,
            "gallery": 2,
        },
        "adapt": train("minent", source="translate.images"),
        "evaluate": {"stage": "evaluate", "domain": "test", "checkpoints": ["adapt.checkpoint"]},
    }


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("translate") / "run"
    return run_recipe(recipe_of(stages({"beta": 0.1})), out, data_root)


def test_report_shows_pairs(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    assert "Translated images of translate" in page
    assert page.count('data-title="Translated"') == 2 == page.count('data-title="Source"')


def images(run: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (run / "1-translate" / "images").rglob("*.jpg")}


def test_names_and_sizes_are_kept_and_the_look_is_the_target_s(
    finished: Path, data_root: Path
) -> None:
    names = sorted(p.stem for p in (data_root / "rendered" / "images" / "train").iterdir())
    assert sorted(Path(name).stem for name in images(finished)) == names

    def mean(folder: Path) -> np.ndarray:
        return np.mean(
            [np.asarray(Image.open(p)).mean(axis=(0, 1)) for p in folder.iterdir()], axis=0
        )

    before = mean(data_root / "rendered" / "images" / "train")
    wanted = mean(data_root / "camvid" / "images" / "train")
    after = mean(finished / "1-translate" / "images")
    assert np.abs(after - wanted).max() < 0.5 * np.abs(before - wanted).max()


def test_interrupted_translation_goes_on_to_the_same_images(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    folder = run / "1-translate"
    started = {"fingerprint": json.loads((folder / "manifest.json").read_text())["fingerprint"]}
    (folder / "manifest.json").unlink()
    (folder / "started.json").write_text(json.dumps(started))
    kept, *gone = sorted((folder / "images").iterdir())
    for path in gone:
        path.unlink()
    kept_at = kept.stat().st_mtime_ns
    run_recipe(recipe_of(stages({"beta": 0.1})), run, data_root)
    assert images(run) == images(finished)
    assert kept.stat().st_mtime_ns == kept_at


@pytest.mark.slow
def test_two_processes_translate_as_one_does(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    only = {"translate": stages({"beta": 0.1})["translate"]}
    run = run_recipe(recipe_of(only), tmp_path / "run", data_root, devices=2)
    assert images(run) == images(finished)


def test_images_translated_elsewhere_take_the_source_s_place(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    folder = finished / "1-translate" / "images"
    recipe = stages({"rule": "folder", "folder": str(folder)})
    del recipe["translate"]["target"]
    run = run_recipe(recipe_of(recipe), tmp_path / "run", data_root)
    found, expected = (
        (x / "2-adapt" / "checkpoint.safetensors").read_bytes() for x in (run, finished)
    )
    assert found == expected


def test_names_that_repeat_in_other_folders_keep_their_folders(tmp_path: Path) -> None:
    def place(root: Path, name: str) -> Path:
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (96, 64)).save(path)
        return path

    names = ("a/0001", "b/0001")
    samples = tuple(Sample(name, place(tmp_path / "source", name)) for name in names)
    source = Domain("source", samples, ClassMap(CAMVID_11, {}), None, labelled=False)
    for name in names:
        place(tmp_path / "same", name)
    found = counterparts(source, tmp_path / "same")
    assert [found[name].parent.name for name in names] == ["a", "b"]
    place(tmp_path / "flat", "0001")
    with pytest.raises(SegadaptError, match="no image for 2 of the 2"):
        counterparts(source, tmp_path / "flat")


def test_images_replaced_in_the_folder_are_noticed(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished / "1-translate" / "images", tmp_path / "images")
    only = {
        "translate": stages({"rule": "folder", "folder": str(folder)})["translate"],
        "adapt": train("source_only", source="translate.images", iterations=1),
    }
    del only["translate"]["target"]
    run_recipe(recipe_of(only), tmp_path / "run", data_root)
    first = next(folder.rglob("*.jpg"))
    Image.new("RGB", (96, 64)).save(first)
    with pytest.raises(SegadaptError, match="was run with other settings, data"):
        run_recipe(recipe_of(only), tmp_path / "run", data_root)


def test_sizes_that_distort_are_taken_as_without_translation(
    data_root: Path, tmp_path: Path
) -> None:
    recipe = recipe_of({k: v for k, v in stages({"beta": 0.1}).items() if k != "evaluate"})
    for domain in recipe["domains"].values():
        domain["size"] = [64, 64]
    run_recipe(recipe, tmp_path / "run", data_root)


def test_missing_counterparts_and_target_are_told(data_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "translated"
    folder.mkdir()
    Image.new("RGB", (96, 64)).save(folder / "000.png")
    recipe = stages({"rule": "folder", "folder": str(folder)})
    with pytest.raises(SegadaptError, match="rule folder looks at no target"):
        run_recipe(recipe_of(recipe), tmp_path / "c", data_root)
    del recipe["translate"]["target"]
    with pytest.raises(SegadaptError, match="no image for 5 of the 6"):
        run_recipe(recipe_of(recipe), tmp_path / "a", data_root)
    recipe = stages({"beta": 0.1})
    del recipe["translate"]["target"]
    with pytest.raises(SegadaptError, match=re.escape("stages.translate.target: is required")):
        run_recipe(recipe_of(recipe), tmp_path / "b", data_root)
