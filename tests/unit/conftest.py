"""Builders that several unit tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segadapt.config import DomainConfig
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain

CLASSES_YAML = """
classes:
  - {name: road, colour: [128, 64, 128], ids: [0, 7]}
  - {name: car, colour: [0, 0, 142], ids: [13], rare: true}
ignore: [255]
"""


def write_image(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder_domain(tmp_path: Path) -> Callable[..., Domain]:
    """Makes a ``folder`` domain; image i is grey value i with its left half one brighter in red.

    The label is 13 (car, train id 1) on the left half and 7 (road, 0) on the right one.
    """

    def make(sizes: list[tuple[int, int]], labelled: bool = True, **settings: Any) -> Domain:
        root = tmp_path / "own"
        for i, (height, width) in enumerate(sizes):
            pixels = np.full((height, width, 3), i, np.uint8)
            pixels[:, : width // 2, 0] += 100
            write_image(root / f"images/train/{i:03}.png", pixels)
            label = np.full((height, width), 7, np.uint8)
            label[:, : width // 2] = 13
            write_image(root / f"labels/train/{i:03}.png", label)
        (root / "classes.yaml").write_text(CLASSES_YAML)
        config = DomainConfig(dataset="folder", split="train", role="source", **settings)
        return open_domain(config, root, labelled, "domain own")

    return make
