"""Pixels are split, trained on and shown; checkpoints come in from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import HEIGHT, WIDTH, recipe_of, run_recipe, train, write_data
from PIL import Image
from safetensors.numpy import load_file

from segadapt.base.errors import SegadaptError

EASY_WANTED = 0.6


def stages() -> dict[str, dict[str, Any]]:
    return {
        "inter": train("source_only", iterations=20, optimizer={"name": "adamw", "lr": 1e-3}),
        "split": {
            "stage": "pixel_split",
            "checkpoint": "inter.checkpoint",
            "images": "target",
            "selection": {"proportion": EASY_WANTED},
            "gallery": 3,
            "workers": 0,
        },
        "intra": train(
            {"name": "pixintrada", "discriminator_width": 4},
            source="split.labels",
            target=None,
            start_from="inter.checkpoint",
        ),
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["inter.checkpoint", "intra.checkpoint"],
            "pictures": 1,
            "features": 12,
        },
    }


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), target_labels=False)


@pytest.fixture(scope="module")
def finished(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_recipe(recipe_of(stages()), tmp_path_factory.mktemp("pixels") / "run", data_root)


def pictures(run: Path, folder: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(p)) for p in sorted((run / "2-split" / folder).glob("*.png"))]


def test_labels_and_index_tell_easy_from_hard_alike(finished: Path) -> None:
    labels, indices = pictures(finished, "labels"), pictures(finished, "domain_index")
    assert len(labels) == len(indices) == 5
    for label, index in zip(labels, indices, strict=True):
        assert label.shape == index.shape == (HEIGHT, WIDTH)
        assert ((label == 255) == (index > 0)).all()
        assert index.max() <= 255 * (1 - 1 / 11) + 1


def test_proportion_is_met_and_told(finished: Path) -> None:
    share = float(np.mean([label != 255 for label in pictures(finished, "labels")]))
    assert share == pytest.approx(EASY_WANTED, abs=0.02)
    split = json.loads((finished / "2-split" / "pixel_split.json").read_text())
    assert split["easy_share"] == pytest.approx(share)
    assert sum(split["predicted_pixels"]) == 5 * HEIGHT * WIDTH
    assert np.mean(list(split["images"].values())) == pytest.approx(share)
    assert all(0 < t <= 0.9 for t in split["thresholds"])


def test_report_shows_the_split_and_the_features(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    assert "Easy and hard pixels of split" in page
    assert len(re.findall(r'data-title="Index Z"', page)) == 3
    assert "Features by class" in page


def test_features_are_those_of_the_same_pixels(finished: Path) -> None:
    found = [np.load(p) for p in sorted((finished / "4-evaluate" / "features").glob("*.npz"))]
    assert len(found) == 2
    first, second = found
    assert (first["labels"] == second["labels"]).all()
    assert first["features"].shape == second["features"].shape == (len(first["labels"]), 512)
    assert not (first["features"] == second["features"]).all()
    assert np.bincount(first["labels"]).max() <= 12


def test_checkpoint_of_another_run_takes_the_place_of_a_stage(
    finished: Path, data_root: Path, tmp_path: Path
) -> None:
    file = finished / "1-inter" / "checkpoint.safetensors"
    taken = stages() | {"inter": {"stage": "convert", "file": str(file)}}
    run = run_recipe(recipe_of(taken), tmp_path / "run", data_root)
    again = load_file(run / "1-inter" / "checkpoint.safetensors")
    assert all((again[k] == v).all() for k, v in load_file(file).items())
    for name in ("labels", "domain_index"):
        for a, b in zip(pictures(run, name), pictures(finished, name), strict=True):
            assert (a == b).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s["intra"].update(source="source"), "does not say how hard each pixel is"),
        (lambda s: s["intra"].update(scales=[0.25, 1.0]), "at least 32 pixels"),
        (lambda s: s["intra"].update(scales=[1.5, 1.0]), "the smallest factor, then the largest"),
        (
            lambda s: s["intra"].update(jitter={"scale": [2.0, 1.0]}),
            "must be the smallest factor, then the largest",
        ),
        (lambda s: s["intra"].update(jitter={"shift": 0.1}), "is neither easy nor hard"),
        (
            lambda s: s["split"].update(selection={"alpha": 1.0, "proportion": 0.5}),
            "give alpha or proportion, not both",
        ),
        (
            lambda s: s["split"].update(selection={"rule": "class_medain"}),
            "'class_median', 'class_balanced', 'instance_adaptive'",
        ),
        (
            lambda s: s.update(inter={"stage": "convert", "file": "no.pth", "family": "advent"}),
            "no.pth",
        ),
    ],
)
def test_bad_settings_are_told_before_any_work(
    change: Any, says: str, data_root: Path, tmp_path: Path
) -> None:
    recipe = stages()
    change(recipe)
    with pytest.raises(SegadaptError, match=re.escape(says)):
        run_recipe(recipe_of(recipe), tmp_path / "run", data_root)
    assert not list(tmp_path.rglob("metrics.jsonl"))
