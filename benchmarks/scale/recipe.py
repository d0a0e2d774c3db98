"""A run whose target has very many images: its recipe, and what stages leave in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.scale.folder import SIZE, names, split
from segadapt.artefacts import LabelSet, PixelSplit, RankedImage, Split, write_json
from segadapt.base.classes import CITYSCAPES_19
from segadapt.config.load import validate
from segadapt.runs.provenance import write_provenance
from segadapt.stages.context import StageContext

EASY = 0.67
CLASSES = CITYSCAPES_19.names


def context_of(root: Path, number: int, cache: bool = False) -> StageContext:
    """Training, ranking, pseudo-labels of the easy part, and a split of pixels."""
    domain = {"dataset": "folder", "root": "data", "size": list(SIZE)}
    target = {**domain, "role": "target", "split": split(number), "cache": cache}
    look: dict[str, Any] = {"checkpoint": "train.checkpoint"}
    train = {
        "stage": "train",
        "method": "minent",
        "source": "source",
        "target": "target",
        "model": {"backbone": "squeezenet1_0", "weights": "none"},
        "iterations": 1,
    }
    recipe: dict[str, Any] = {
        "name": "scale",
        "domains": {
            "source": {**domain, "role": "source", "split": "source"},
            "target": target,
        },
        "stages": {
            "train": train,
            "rank": {**look, "stage": "rank", "images": "target", "easy_ratio": EASY},
            "labels": {**look, "stage": "pseudo_label", "images": "rank.easy"},
            "pixels": {**look, "stage": "pixel_split", "images": "target"},
        },
    }
    directory = root / f"run-{number}"
    directory.mkdir(exist_ok=True)
    return StageContext(
        validate(recipe, "scale"), directory, root, seed=0, cache_dir=root / "cache"
    )


def ranking(number: int) -> Split:
    """What ``rank`` leaves of so many images; scores have all their digits."""
    easy = int(number * EASY)
    images = (
        RankedImage(
            name=name,
            score=(i + 0.5) / number / 3,
            mean_entropy=(i + 0.5) / number / 3,
            predicted_classes=1 + i % len(CLASSES),
            rare_classes=i % 8,
            split="easy" if i < easy else "hard",
        )
        for i, name in enumerate(names(number))
    )
    return Split("target", EASY, "none", tuple(images))


def pixel_split(number: int) -> PixelSplit:
    """What ``pixel_split`` leaves of so many images beside their labels."""
    some = tuple(0.5 for _ in CLASSES)
    pixels = tuple(10**12 for _ in CLASSES)
    shares = {name: (i + 0.5) / number / 3 for i, name in enumerate(names(number))}
    return PixelSplit("class_median", 1.0, some, 0.5, pixels, pixels, shares)


def labels(number: int) -> LabelSet:
    """What ``pseudo_label`` leaves of so many images beside the labels."""
    return LabelSet("target", tuple(names(number)))


def leave_ranking(context: StageContext, number: int) -> Path:
    """The folder of a finished ranking, with a manifest that a report takes."""
    folder = context.stage_directory("rank")
    if not (folder / "manifest.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        ranking(number).save(folder)
        write_json(folder / "manifest.json", {"name": "rank", "stage": "rank", "seconds": 1.0})
        write_provenance(context, [])
    return folder
