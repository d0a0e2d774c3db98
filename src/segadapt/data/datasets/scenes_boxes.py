"""The embedded procedural scenes with boxes, as the ``draw`` stage leaves them on disk.

A box is the extent of what is seen of a vehicle (cars, vans, buses), a person on foot, or a rider
with the bicycle; where a side has fewer than 4 pixels it is neither learned from nor counted.
"""

from __future__ import annotations

from dataclasses import replace

from segadapt.data.boxes.class_sets import SCENE_THINGS_3
from segadapt.data.class_map import ClassMap
from segadapt.data.datasets import scenes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = scenes.DEFAULT_ROOT

CLASS_MAPS = {
    "scene_things3": ClassMap(
        SCENE_THINGS_3, {}, names={name: i for i, name in enumerate(SCENE_THINGS_3.names)}
    )
}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: of :mod:`segadapt.data.datasets.scenes`."""
    boxes = root / "boxes" / split
    return [
        replace(sample, label=boxes / f"{sample.name}.xml")
        for sample in scenes.samples(root, split, left_out)
    ]
