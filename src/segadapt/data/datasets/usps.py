"""USPS (Hull, 1994): ``usps.h5``, or torchvision's ``usps.bz2`` and ``usps.t.bz2``."""

from __future__ import annotations

from segadapt.base.classes import DIGITS_10
from segadapt.data.class_map import ClassMap
from segadapt.data.digit_files import digit_samples, missing, read_usps_bz2, read_usps_h5
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath, on_disk

DEFAULT_ROOT = "digits"
CLASS_MAPS = {"digits10": ClassMap(DIGITS_10, {i: i for i in range(10)})}
FILES = {"train": "usps.bz2", "test": "usps.t.bz2"}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Digits of ``train`` (7291) or ``test`` (2007), 16x16, grey."""
    folder = on_disk(root, "USPS")
    if split not in FILES:
        raise missing("USPS", folder, f"split {split!r} (there are train and test)")
    packed = folder / "usps.h5"
    if packed.is_file():
        return digit_samples(
            (packed, read_usps_h5, f"{split}/data"),
            (packed, read_usps_h5, f"{split}/target"),
            "USPS",
        )
    file = folder / FILES[split]
    if file.is_file():
        return digit_samples(
            (file, read_usps_bz2, "images"), (file, read_usps_bz2, "labels"), "USPS"
        )
    raise missing("USPS", folder, f"usps.h5 or {FILES[split]}")
