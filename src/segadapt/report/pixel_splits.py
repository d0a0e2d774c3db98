"""Easy and hard pixels: thresholds, shares, and pictures of labels and of the continuous index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segadapt.artefacts import PIXEL_SPLIT_FILE, LabelSet, PixelSplit
from segadapt.report import pictures
from segadapt.report.records import Run, Stage
from segadapt.report.tiles import Tile

RULES = {
    "class_median": "A pixel is easy where a class exceeds its threshold, the median confidence "
    "of the pixels predicted as that class",
    "class_balanced": "Of each class the most confident portion of its pixels is easy (CBST)",
    "instance_adaptive": "A pixel is easy where its class reaches a threshold that moves from "
    "image to image; shown are the last ones (IAST)",
}


@dataclass(frozen=True)
class ClassShare:
    """One class of a split."""

    name: str
    threshold: float
    predicted: float
    """Share of all pixels that are predicted as the class."""
    easy: float
    """Share of the easy pixels that are labelled with it."""


@dataclass(frozen=True)
class PixelSplitView:
    """Everything shown about one split."""

    stage: Stage
    domain: str
    split: PixelSplit
    meaning: str
    classes: list[ClassShare]
    gallery: list[tuple[str, float, list[Tile]]]
    """Image name, share of its pixels that are easy, pictures."""


def pixel_split_views(run: Run, width: int) -> list[PixelSplitView]:
    """The finished ``pixel_split`` stages of a run, with pictures at most ``width`` wide."""
    return [
        _view(stage, min(width, 320))
        for stage in run.stages
        if stage.finished and (stage.directory / PIXEL_SPLIT_FILE).is_file()
    ]


def _view(stage: Stage, width: int) -> PixelSplitView:
    split = PixelSplit.load(stage.directory)
    ranked = sorted(split.images, key=lambda name: -split.images[name])
    gallery = []
    # By number: past 99999 names have six digits.
    for path in sorted((stage.directory / "gallery").glob("*.jpg"), key=lambda x: int(x.stem)):
        name = ranked[int(path.stem)]
        label = LabelSet.path(stage.directory, name)
        index = LabelSet.index_path(stage.directory, name)
        tiles = [
            Tile("Image", "", "image", pictures.inline_photo(path, width)),
            Tile("Pseudo-label", "", "prediction", pictures.inline_labels(label, width)),
            Tile("Index Z", "", "entropy", pictures.inline_entropy(index, width)),
        ]
        gallery.append((name, split.images[name], tiles))
    return PixelSplitView(
        stage=stage,
        domain=str(stage.config.get("images", "")),
        split=split,
        meaning=RULES[split.rule],
        classes=_classes(stage.summary.get("thresholds") or {}, split),
        gallery=gallery,
    )


def _classes(thresholds: Mapping[str, Any], split: PixelSplit) -> list[ClassShare]:
    predicted, easy = _shares(split.predicted_pixels), _shares(split.easy_pixels)
    return [
        ClassShare(name, split.thresholds[place], predicted[place], easy[place])
        for place, name in enumerate(thresholds)
    ]


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]
