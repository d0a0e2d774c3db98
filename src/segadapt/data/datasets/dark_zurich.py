"""Dark Zurich (Sakaridis et al., ICCV 2019): rgb_anon/SPLIT/TIME/SEQUENCE, gt/SPLIT/TIME."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets.cityscapes import class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "dark_zurich"

CLASS_MAPS = class_maps({i: i for i in (*range(19), 255)})
TIMES = ("night", "twilight", "day")


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split`` of every time of day that is there, or of one as in ``night_train``.

    Labels, of ``night_val`` alone, hold Cityscapes' train ids.

    Raises:
        SegadaptError: there is no such time, or a folder is missing.
    """
    first, _, rest = split.partition("_")
    if rest and first not in TIMES:
        raise SegadaptError(
            f"dark_zurich: split {split!r} begins with no time of day; there are {', '.join(TIMES)}"
        )
    part = rest or split
    everywhere = [time for time in TIMES if (root / "rgb_anon" / part / time).is_dir()]
    found = []
    for time in (first,) if rest else everywhere or TIMES:
        labels = root / "gt" / part / time
        folder = root / "rgb_anon" / part / time
        images = find_images(folder, ending="_rgb_anon", left_out=left_out)
        found += [
            Sample(f"{time}/{name}", path, labels / f"{name}_gt_labelTrainIds.png")
            for name, path in images.items()
        ]
    return found
