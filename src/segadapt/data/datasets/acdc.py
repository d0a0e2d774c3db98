"""ACDC (Sakaridis et al., ICCV 2021): rgb_anon/CONDITION/SPLIT/SEQUENCE, gt/CONDITION/SPLIT."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "acdc"

CLASS_MAPS = cityscapes.CLASS_MAPS
CONDITIONS = ("fog", "night", "rain", "snow")


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: of every condition that is there, or of one as in ``night_train``.

    Raises:
        SegadaptError: there is no such condition, or a folder is missing.
    """
    first, _, rest = split.partition("_")
    if rest and first not in CONDITIONS:
        raise SegadaptError(
            f"acdc: split {split!r} begins with no condition; there are {', '.join(CONDITIONS)}"
        )
    part = rest or split
    everywhere = [c for c in CONDITIONS if (root / "rgb_anon" / c / part).is_dir()]
    found = []
    for condition in (first,) if rest else everywhere or CONDITIONS:
        labels = root / "gt" / condition / part
        folder = root / "rgb_anon" / condition / part
        images = find_images(folder, ending="_rgb_anon", left_out=left_out)
        found += [
            Sample(f"{condition}/{name}", path, labels / f"{name}_gt_labelIds.png")
            for name, path in images.items()
        ]
    return found
