"""IDD-Lite (Varma et al., WACV 2019): Indian road scenes, 7 classes."""

from __future__ import annotations

from segadapt.base.classes import STREET_7
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "idd-lite"

CLASS_MAPS = {"street7": ClassMap(STREET_7, {i: i for i in range(7)} | {255: 255})}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``; names are DRIVE/ID."""
    found = find_images(root / "leftImg8bit" / split, ending="_image", left_out=left_out)
    labels = root / "gtFine" / split
    return [Sample(name, path, labels / f"{name}_label.png") for name, path in found.items()]
