"""Foggy Cityscapes, in its thickest fog (beta 0.02), with boxes around Cityscapes' instances."""

from __future__ import annotations

from dataclasses import replace

from segadapt.base.errors import SegadaptError
from segadapt.data.datasets import cityscapes_boxes, foggy_cityscapes
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "foggy-cityscapes"

CLASS_MAPS = cityscapes_boxes.CLASS_MAPS


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, train or val; names are CITY/CITY_SEQUENCE_FRAME.

    Raises:
        SegadaptError: a thinner fog is asked for.
    """
    if "_beta_" in split:
        raise SegadaptError(
            f"foggy_cityscapes_boxes: has no split {split!r}; there are train and val, in the "
            f"thickest fog (beta {foggy_cityscapes.THICKEST})"
        )
    labels = root / "gtFine" / split
    return [
        replace(sample, label=labels / f"{sample.name}_gtFine_instanceIds.png")
        for sample in foggy_cityscapes.samples(root, split, left_out)
    ]
