"""CamVid (Brostow et al., 2009), 11 classes: images/SPLIT/NAME.*, labels/SPLIT/NAME.png."""

from __future__ import annotations

from segadapt.base.classes import CAMVID_11, STREET_7
from segadapt.data.class_map import ClassMap
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "camvid"
VOID = 11

# sky building pole road pavement tree sign fence car pedestrian bicyclist
TO_STREET_7 = (6, 5, 4, 0, 1, 5, 4, 4, 3, 2, 2)

CLASS_MAPS = {
    "camvid11": ClassMap(CAMVID_11, {i: i for i in range(11)} | {VOID: 255, 255: 255}),
    "street7": ClassMap(STREET_7, dict(enumerate(TO_STREET_7)) | {VOID: 255, 255: 255}),
}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, by name."""
    images = find_images(root / "images" / split, left_out=left_out)
    labels = label_folder(root, split)
    return [Sample(name, path, labels / f"{name}.png") for name, path in images.items()]


def label_folder(root: DataPath, split: str) -> DataPath:
    """The folder that holds the labels of ``split`` and nothing else."""
    return root / "labels" / split
