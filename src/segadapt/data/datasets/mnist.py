"""MNIST (LeCun et al., 1998): ``mnist.npz``, or torchvision's ``MNIST/raw/*-ubyte[.gz]``."""

from __future__ import annotations

from segadapt.base.classes import DIGITS_10
from segadapt.data.class_map import ClassMap
from segadapt.data.digit_files import digit_samples, missing, read_idx, read_npz
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.paths import DataPath, on_disk

DEFAULT_ROOT = "digits"
CLASS_MAPS = {"digits10": ClassMap(DIGITS_10, {i: i for i in range(10)})}
STEMS = {"train": "train", "test": "t10k"}


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Digits of ``train`` (60000) or ``test`` (10000), 28x28, grey."""
    folder = on_disk(root, "MNIST")
    if split not in STEMS:
        raise missing("MNIST", folder, f"split {split!r} (there are train and test)")
    packed = folder / "mnist.npz"
    if packed.is_file():
        return digit_samples(
            (packed, read_npz, f"x_{split}"), (packed, read_npz, f"y_{split}"), "MNIST"
        )
    for below in ("MNIST/raw", "raw", "."):
        for ending in ("", ".gz"):
            stem = folder / below / STEMS[split]
            images, labels = (
                stem.with_name(f"{stem.name}-{kind}-ubyte{ending}")
                for kind in ("images-idx3", "labels-idx1")
            )
            if images.is_file():
                return digit_samples((images, read_idx, ""), (labels, read_idx, ""), "MNIST")
    raise missing("MNIST", folder, "mnist.npz or MNIST/raw/train-images-idx3-ubyte and the others")
