"""Cityscapes (Cordts et al., CVPR 2016): leftImg8bit/SPLIT/CITY, gtFine/SPLIT/CITY."""

from __future__ import annotations

from collections.abc import Mapping

from segadapt.base.classes import CITYSCAPES_16, CITYSCAPES_19
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "cityscapes"

# Label ids of the Cityscapes program: 0..33, and 255 where -1 (licence plate) was stored as a byte.
EVALUATED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
IDS = {i: 255 for i in (*range(34), 255)} | {stored: i for i, stored in enumerate(EVALUATED)}

SIXTEEN = {i: place for place, i in enumerate(CITYSCAPES_19.subsets["16"])}
"""Place among SYNTHIA's classes by train id; the three that it lacks have none."""


def class_maps(ids: Mapping[int, int]) -> dict[str, ClassMap]:
    """Class maps over Cityscapes' 19 classes and over SYNTHIA's 16 of them.

    Args:
        ids: train id among the 19, or 255, by stored id.
    """
    sixteen = {stored: SIXTEEN.get(train, 255) for stored, train in ids.items()}
    return {
        "cityscapes19": ClassMap(CITYSCAPES_19, ids),
        "cityscapes16": ClassMap(CITYSCAPES_16, sixteen),
    }


CLASS_MAPS = class_maps(IDS)


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``; names are CITY/CITY_SEQUENCE_FRAME."""
    found = find_images(root / "leftImg8bit" / split, ending="_leftImg8bit", left_out=left_out)
    labels = root / "gtFine" / split
    return [
        Sample(name, path, labels / f"{name}_gtFine_labelIds.png") for name, path in found.items()
    ]
