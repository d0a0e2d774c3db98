"""A small recipe that the tests of recipes change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
