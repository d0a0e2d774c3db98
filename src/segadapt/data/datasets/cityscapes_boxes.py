"""Cityscapes with boxes around its instances: gtFine/SPLIT/CITY/*_gtFine_instanceIds.png.

Groups of things that are not told apart are neither learned from nor counted.
"""

from __future__ import annotations

from dataclasses import replace

from segadapt.data.boxes.class_sets import CITYSCAPES_THINGS_8
from segadapt.data.class_map import ClassMap
from segadapt.data.datasets import cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "cityscapes"

# Caravans and trailers (29, 30) have instances, and are not evaluated.
THINGS = (24, 25, 26, 27, 28, 31, 32, 33)
IDS = {i: 255 for i in (*range(34), 255)} | {stored: i for i, stored in enumerate(THINGS)}

CLASS_MAPS = {"cityscapes_things8": ClassMap(CITYSCAPES_THINGS_8, IDS)}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``; names are CITY/CITY_SEQUENCE_FRAME."""
    labels = root / "gtFine" / split
    return [
        replace(sample, label=labels / f"{sample.name}_gtFine_instanceIds.png")
        for sample in cityscapes.samples(root, split, left_out)
    ]
