"""Synscapes (Wrenninge and Unger, 2018): img/rgb/N.png, img/class/N.png with Cityscapes' ids."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "synscapes"

CLASS_MAPS = cityscapes.CLASS_MAPS


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """All images, by number.

    Raises:
        SegadaptError: another split than ``all`` is asked for.
    """
    if split != "all":
        raise SegadaptError(f"synscapes: has no split {split!r}; its only split is 'all'")
    labels = root / "img" / "class"
    return [
        Sample(name, path, labels / f"{name}.png")
        for name, path in find_images(root / "img" / "rgb", left_out=left_out).items()
    ]
