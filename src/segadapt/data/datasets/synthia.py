"""SYNTHIA-RAND-CITYSCAPES (Ros et al., CVPR 2016): RGB/NAME.png, GT/LABELS/NAME.png."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets.cityscapes import class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "synthia"

# Stored ids 0 (void) to 22 (lane marking); the 19-slot layout is that of ADVENT's program. It has
# places for terrain (16), truck (18) and train (20) as well, but the data set is one of sixteen
# classes, and those three stay empty.
TO_19 = {i: 255 for i in (*range(23), 255)} | {
    3: 0,
    4: 1,
    2: 2,
    21: 3,
    5: 4,
    7: 5,
    15: 6,
    9: 7,
    6: 8,
    1: 10,
    10: 11,
    17: 12,
    8: 13,
    19: 15,
    12: 17,
    11: 18,
}

CLASS_MAPS = class_maps(TO_19)


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """All images; labels are PNG files of 16 bits with the class in the first channel.

    Raises:
        SegadaptError: another split than ``all`` is asked for.
    """
    if split != "all":
        raise SegadaptError(f"synthia: has no split {split!r}; its only split is 'all'")
    labels = root / "GT" / "LABELS"
    return [
        Sample(name, path, labels / f"{name}.png", first_channel=True)
        for name, path in find_images(root / "RGB", left_out=left_out).items()
    ]
