"""SVHN, cropped digits (Netzer et al., 2011): ``train_32x32.mat`` and ``test_32x32.mat``."""

from __future__ import annotations

from segadapt.base.classes import DIGITS_10
from segadapt.data.class_map import ClassMap
from segadapt.data.digit_files import digit_samples, missing, read_svhn_mat
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath, on_disk

DEFAULT_ROOT = "svhn"
CLASS_MAPS = {"digits10": ClassMap(DIGITS_10, {i: i for i in range(10)})}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Digits of ``train`` (73257), ``test`` (26032) or ``extra``, 32x32, in colour."""
    folder = on_disk(root, "SVHN")
    file = folder / f"{split}_32x32.mat"
    if not file.is_file():
        raise missing("SVHN", folder, file.name)
    return digit_samples((file, read_svhn_mat, "X"), (file, read_svhn_mat, "y"), "SVHN")
