"""A small recipe that the tests of recipes change."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from segadapt.base.errors import SegadaptError
from segadapt.config.load import load_recipe

GOOD: dict[str, Any] = {
    "domains": {
        "src": {"dataset": "gta5", "split": "all", "role": "source"},
        "tgt": {"dataset": "cityscapes", "split": "train", "role": "target"},
        "tst": {"dataset": "cityscapes", "split": "val", "role": "test"},
    },
    "stages": {
        "first": {
            "stage": "train",
            "method": {"name": "advent", "gan": "vanilla"},
            "source": "src",
            "target": "tgt",
            "iterations": 5,
            "model": {"backbone": "squeezenet1_0"},
        },
        "rank": {"stage": "rank", "checkpoint": "first.checkpoint", "images": "tgt"},
        "pl": {"stage": "pseudo_label", "checkpoint": "first.checkpoint", "images": "rank.easy"},
        "second": {
            "stage": "train",
            "method": "advent",
            "source": "pl.labels",
            "target": "rank.hard",
            "iterations": 5,
        },
        "eval": {"stage": "evaluate", "domain": "tst", "checkpoints": ["second.checkpoint"]},
    },
}


def write(tmp_path: Path, recipe: Any) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(recipe if isinstance(recipe, str) else yaml.safe_dump(recipe, sort_keys=False))
    return str(path)


ABSENT = object()
# What a recipe that says no more than the name trains with (the released program's values).
ADVENT = {
    "name": "advent",
    "class_prior": None,
    "lambda_seg": {"main": 1.0, "aux": 0.1},
    "lambda_adv": {"main": 0.001, "aux": 0.0002},
    "gan": "vanilla",
    "discriminator_width": 64,
}


def changed(path: str, value: Any) -> dict[str, Any]:
    recipe = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = recipe
    for key in parents:
        place = place.setdefault(key, {})
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return recipe


def refusal(tmp_path: Path, recipe: Any, *overrides: str) -> str:
    with pytest.raises(SegadaptError) as caught:
        load_recipe(write(tmp_path, recipe), overrides)
    return str(caught.value)
