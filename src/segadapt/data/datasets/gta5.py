"""GTA5 (Richter et al., ECCV 2016): images/NAME.png, labels/NAME.png with palette ids."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets.cityscapes import IDS, class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "gta5"

# Same ids as Cityscapes; 34 is the licence plate.
CLASS_MAPS = class_maps(IDS | {34: 255})


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """All images; the published programs train on everything, so the only split is ``all``.

    Raises:
        SegadaptError: another split is asked for.
    """
    if split != "all":
        raise SegadaptError(f"gta5: has no split {split!r}; its only split is 'all'")
    images = find_images(root / "images", left_out=left_out)
    return [Sample(name, path, root / "labels" / f"{name}.png") for name, path in images.items()]
