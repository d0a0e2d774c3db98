"""BDD100K (Yu et al., CVPR 2020), 10k part: images/10k/SPLIT, labels/sem_seg/masks/SPLIT."""

from __future__ import annotations

from segadapt.data.datasets.cityscapes import class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "bdd100k"

CLASS_MAPS = class_maps({i: i for i in (*range(19), 255)})


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``; labels hold Cityscapes' train ids."""
    labels = root / "labels" / "sem_seg" / "masks" / split
    return [
        Sample(name, path, labels / f"{name}.png")
        for name, path in find_images(root / "images" / "10k" / split, left_out=left_out).items()
    ]
