"""ACDC (Sakaridis et al., ICCV 2021): rgb_anon/CONDITION/SPLIT/SEQUENCE, gt/CONDITION/SPLIT."""

from __future__ import annotations

from segadapt.data.conditions import Layout, samples_by_condition
from segadapt.data.datasets import cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "acdc"

CLASS_MAPS = cityscapes.CLASS_MAPS
LAYOUT = Layout(
    dataset="acdc",
    conditions=("fog", "night", "rain", "snow"),
    called="condition",
    folder="{condition}/{split}",
    label_ending="_gt_labelIds.png",
)


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: of every condition that is there, or of one as in ``night_train``."""
    return samples_by_condition(LAYOUT, root, split, left_out)
