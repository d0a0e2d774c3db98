"""Mapillary Vistas 1.2 (Neuhold et al., ICCV 2017): SPLIT/images, SPLIT/v1.2/labels."""

from __future__ import annotations

from segadapt.data.datasets.cityscapes import class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "mapillary-vistas"

# Ids 0 (bird) to 65 (unlabelled) of version 1.2. What Cityscapes ignores is ignored (guard rails,
# parking, bridges, backs of signs); markings and covers on the road are road, kerbs are sidewalk.
TO_19 = {i: 255 for i in (*range(66), 255)} | {
    **dict.fromkeys((7, 8, 13, 14, 23, 24, 36, 41, 43), 0),
    **dict.fromkeys((2, 9, 11, 15), 1),
    17: 2,
    6: 3,
    3: 4,
    **dict.fromkeys((44, 45, 47), 5),
    48: 6,
    50: 7,
    30: 8,
    29: 9,
    27: 10,
    19: 11,
    **dict.fromkeys((20, 21, 22), 12),
    55: 13,
    61: 14,
    54: 15,
    58: 16,
    57: 17,
    52: 18,
}

CLASS_MAPS = class_maps(TO_19)


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: training or validation. Version 1.1 keeps its labels in SPLIT/labels."""
    version = root / split / "v1.2"
    labels = (version if version.is_dir() else root / split) / "labels"
    return [
        Sample(name, path, labels / f"{name}.png")
        for name, path in find_images(root / split / "images", left_out=left_out).items()
    ]
