"""Small data and networks that several test files build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.classes import CAMVID_11, ClassSet
from segadapt.config import ModelConfig
from segadapt.data.domain import ClassMap, Domain, Sample
from segadapt.models.checkpoints import TrainedModel
from segadapt.models.initialise import build_segmenter

THREE = ClassSet("three", ("a", "b", "c"), ((10, 0, 0), (0, 20, 0), (0, 0, 30)))


def write_image(pixels: NDArray[np.generic], path: Path) -> Path:
    """Write an array as image file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def noise(seed: int, height: int = 8, width: int = 12) -> NDArray[np.uint8]:
    """A random RGB image."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def write_domain(
    root: Path,
    sizes: list[tuple[int, int]],
    labelled: bool = True,
    size: tuple[int, int] | None = None,
) -> Domain:
    """A domain of one image per (height, width); the label is the image's red channel modulo 3."""
    samples = []
    for i, (height, width) in enumerate(sizes):
        pixels = noise(i, height, width)
        image = write_image(pixels, root / "images" / f"{i:02d}.png")
        label = write_image(pixels[..., 0] % 3, root / "labels" / f"{i:02d}.png")
        samples.append(Sample(f"{i:02d}", image, label))
    ids = {0: 0, 1: 1, 2: 2, 255: 255}
    return Domain("tiny", tuple(samples), ClassMap(THREE, ids), size, labelled)


def batches(
    num_classes: int, size: int = 64, images: int = 2, seed: int = 0
) -> tuple[LabelledBatch, UnlabelledBatch]:
    """Random batches; a tenth of the source's pixels is to be ignored."""
    generator = torch.Generator().manual_seed(seed)
    shape = (images, 3, size, size)
    label = torch.randint(num_classes, (images, size, size), generator=generator)
    label[:, : size // 10] = 255
    source = LabelledBatch(torch.randn(shape, generator=generator), label.to(torch.uint8))
    return source, UnlabelledBatch(torch.randn(shape, generator=generator))


def trained_squeezenet(
    size: tuple[int, int] | None = (48, 64), classes: ClassSet = CAMVID_11, multi_level: bool = True
) -> TrainedModel:
    """A light segmenter with random weights."""
    config = ModelConfig(backbone="squeezenet1_0", weights="none", multi_level=multi_level)
    torch.manual_seed(3)
    model = build_segmenter(config, len(classes.names)).eval()
    return TrainedModel(model, config, classes, size)
