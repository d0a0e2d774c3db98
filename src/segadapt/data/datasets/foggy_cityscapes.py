"""Foggy Cityscapes (Sakaridis et al., IJCV 2018): leftImg8bit_foggy/SPLIT/CITY, gtFine/SPLIT."""

from __future__ import annotations

from segadapt.data.datasets import cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "foggy-cityscapes"

CLASS_MAPS = cityscapes.CLASS_MAPS
THICKEST = "0.02"


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``: train or val in the thickest fog, or as in ``train_beta_0.005``."""
    part, _, beta = split.partition("_beta_")
    ending = f"_leftImg8bit_foggy_beta_{beta or THICKEST}"
    found = find_images(root / "leftImg8bit_foggy" / part, ending=ending, left_out=left_out)
    labels = root / "gtFine" / part
    return [
        Sample(name, path, labels / f"{name}_gtFine_labelIds.png") for name, path in found.items()
    ]
