"""A recipe's stages that look at a target's images, ready to be run by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.speed.images import write_cityscapes
from benchmarks.speed.networks import LIGHT, light_network, processes_on
from segadapt.config.load import validate
from segadapt.config.recipe import Recipe
from segadapt.models.files.checkpoints import save_checkpoint
from segadapt.stages.context import StageContext, Work


def _recipe(size: tuple[int, int]) -> Recipe:
    domain = {"dataset": "cityscapes", "root": "data", "split": "val", "size": list(size)}
    look: dict[str, Any] = {"checkpoint": "train.checkpoint", "images": "target", "gallery": 0}
    train = {
        "stage": "train",
        "method": "source_only",
        "source": "source",
        "model": {"backbone": LIGHT, "weights": "none"},
        "iterations": 1,
    }
    recipe = {
        "name": "benchmark",
        "domains": {
            "source": {**domain, "role": "source"},
            "target": {**domain, "role": "target"},
        },
        "stages": {
            "train": train,
            "rank": {**look, "stage": "rank"},
            "split": {**look, "stage": "pixel_split", "selection": {"proportion": 0.6}},
        },
    }
    return validate(recipe, "benchmark")


def stage_at_work(
    name: str, root: Path, number: int, size: tuple[int, int], device: str
) -> tuple[Any, Work]:
    """A stage of the recipe, and what its ``run`` gets: images, a checkpoint, a folder."""
    write_cityscapes(root / "data", number, size)
    recipe = _recipe(size)
    context = StageContext(recipe, root / "run", root, seed=0)
    work = Work(name, context, processes_on(device))
    work.directory.mkdir(parents=True)
    checkpoint = context.checkpoint("train.checkpoint")
    checkpoint.parent.mkdir()
    save_checkpoint(checkpoint, light_network(size))
    return recipe.stages[name], work
