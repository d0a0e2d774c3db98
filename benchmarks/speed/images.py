"""Images that benchmarks read: smooth noise in the files and sizes of Cityscapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain

COARSENESS = 32
"""Pixels of a patch of one colour, and of one class."""
STORED_IDS = 34


def write_cityscapes(root: Path, number: int, size: tuple[int, int]) -> None:
    """Write ``number`` images and labels of (height, width) ``size`` as PNG."""
    generator = np.random.default_rng(0)
    height, width = size
    coarse = (max(2, height // COARSENESS), max(2, width // COARSENESS))
    for i in range(number):
        name = f"city/city_{i:06}_000000"
        image = root / f"leftImg8bit/val/{name}_leftImg8bit.png"
        label = root / f"gtFine/val/{name}_gtFine_labelIds.png"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        small = generator.integers(0, 256, (*coarse, 3)).astype(np.uint8)
        Image.fromarray(small).resize((width, height)).save(image)
        ids = generator.integers(0, STORED_IDS, coarse).astype(np.uint8)
        Image.fromarray(ids).resize((width, height), Image.Resampling.NEAREST).save(label)


def cityscapes(
    root: Path, number: int, stored: tuple[int, int], seen: tuple[int, int], labelled: bool = True
) -> Domain:
    """The same as a domain whose images are ``seen`` smaller than they are ``stored``."""
    write_cityscapes(root, number, stored)
    config = DomainConfig(dataset="cityscapes", split="val", role="test", size=seen)
    return open_domain(config, root, labelled, "cityscapes val")
