"""Dark Zurich (Sakaridis et al., ICCV 2019): rgb_anon/SPLIT/TIME/SEQUENCE, gt/SPLIT/TIME."""

from __future__ import annotations

from segadapt.data.conditions import Layout, samples_by_condition
from segadapt.data.datasets.cityscapes import class_maps
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "dark_zurich"

CLASS_MAPS = class_maps({i: i for i in (*range(19), 255)})
LAYOUT = Layout(
    dataset="dark_zurich",
    conditions=("night", "twilight", "day"),
    called="time of day",
    folder="{split}/{condition}",
    label_ending="_gt_labelTrainIds.png",
)


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split`` of every time of day that is there, or of one as in ``night_train``.

    Labels, of ``night_val`` alone, hold Cityscapes' train ids.
    """
    return samples_by_condition(LAYOUT, root, split, left_out)
