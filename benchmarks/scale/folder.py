"""A run's folders with very many images that hold nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from segadapt.base.classes import CITYSCAPES_19

PER_FOLDER = 1000
"""Images of one folder: data sets of this size are in parts."""
SIZE = (512, 1024)
"""(height, width) that images are resized to."""
LABELLED = 4
"""Images of the source, whose number is not the question."""


def names(number: int) -> list[str]:
    """Names of so many images, as :func:`write_empty` makes them."""
    return [f"{i // PER_FOLDER:05}/{i:08}" for i in range(number)]


def split(number: int) -> str:
    """The split that has so many."""
    return f"all-{number}"


def write_empty(root: Path, number: int) -> bool:
    """Make a split of ``number`` empty image files; false where it was there before."""
    place = root / "data/images" / split(number)
    whole = root / "data" / f"{split(number)}.whole"
    if whole.is_file():
        return False
    for first in range(0, number, PER_FOLDER):
        folder = place / f"{first // PER_FOLDER:05}"
        folder.mkdir(parents=True, exist_ok=True)
        inside = os.open(folder, os.O_RDONLY)
        for i in range(first, min(first + PER_FOLDER, number)):
            os.close(os.open(f"{i:08}.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=inside))
        os.close(inside)
    whole.touch()
    return True


def write_source(root: Path) -> None:
    """``classes.yaml``, and some labelled images, so that a training can be checked."""
    lines = [
        f"  - {{name: {name}, colour: {list(colour)}, ids: [{i}], rare: {str(i > 10).lower()}}}"
        for i, (name, colour) in enumerate(
            zip(CITYSCAPES_19.names, CITYSCAPES_19.colours, strict=True)
        )
    ]
    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "data/classes.yaml").write_text("\n".join(["classes:", *lines, "ignore: [255]", ""]))
    generator = np.random.default_rng(0)
    for i in range(LABELLED):
        image = root / f"data/images/source/{i}.png"
        label = root / f"data/labels/source/{i}.png"
        for path, shape in ((image, (*SIZE, 3)), (label, SIZE)):
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 19, shape).astype(np.uint8)
            Image.fromarray(pixels).save(path)
