"""How large a network, its images and its training can be on this machine, in some minutes."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass

import torch

from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError
from segadapt.config.model import ModelConfig
from segadapt.engine.device import check_compute, pick_device
from segadapt.models.build import build_segmenter
from segadapt.tasks.segmentation import SegmentationTask

SHARE = 1 + 2.6 + 0.7 * 1.6
"""Steps of source-only that the recipe's three trainings cost, for each of its iterations."""
STEPS = 3
"""That are timed, after one that is not."""
MULTIPLE = 32
FEWEST, MOST_ON_CPU, MOST_ON_GPU = 200, 2000, 20000


@dataclass(frozen=True)
class Kind:
    """What suits a kind of device."""

    backbone: str
    input_format: str
    pixels: int
    """Of an image, about."""
    batch_size: int


KINDS = {
    "cpu": Kind("squeezenet1_0", "bgr_mean", 160 * 224, 4),
    "cuda": Kind("resnet101", "rgb_mean_std", 512 * 1024, 4),
}


@dataclass(frozen=True)
class Plan:
    """What is written into the recipe."""

    machine: str
    model: str
    size: tuple[int, int]
    batch_size: int
    iterations: int
    minutes: int


def plan(
    size: tuple[int, int], num_classes: int, device: str, minutes: float, weights: str | None
) -> Plan:
    """The plan for images of (height, width) ``size``, by timing a few steps.

    Args:
        size: of the images.
        num_classes: how many there are.
        device: ``auto``, ``cpu`` or ``cuda``.
        minutes: that all trainings may take together.
        weights: a file of weights for the network; those of torchvision where None.

    Raises:
        SegadaptError: the device is not there.
    """
    check_compute(Compute(device))
    where = pick_device(device)
    if where not in KINDS:
        raise SegadaptError(
            f"--device {device}: plans are made for cpu and cuda; take --device cpu"
        )
    kind = KINDS[where]
    fitting = fitted(size, kind.pixels)
    seconds = _seconds(kind, fitting, num_classes, where)
    wanted = int(60 * minutes / (SHARE * seconds))
    most = MOST_ON_CPU if where == "cpu" else MOST_ON_GPU
    iterations = 50 * round(min(most, max(FEWEST, wanted)) / 50)
    format_ = f", input_format: {kind.input_format}" if kind.input_format != "bgr_mean" else ""
    model = f"{{backbone: {kind.backbone}, weights: {weights or 'torchvision'}{format_}}}"
    cores = os.cpu_count() or 1
    machine = torch.cuda.get_device_name() if where == "cuda" else f"a CPU of {cores} cores"
    needed = max(1, math.ceil(iterations * SHARE * seconds / 60))
    return Plan(machine, model, fitting, kind.batch_size, iterations, needed)


def fitted(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """(height, width) of about so many pixels, at most those there are, in the same proportions."""
    factor = min(1.0, math.sqrt(pixels / (size[0] * size[1])))
    height, width = (max(MULTIPLE, MULTIPLE * round(factor * side / MULTIPLE)) for side in size)
    return height, width


def _seconds(kind: Kind, size: tuple[int, int], num_classes: int, where: str) -> float:
    """Of one step of source-only."""
    config = ModelConfig(backbone=kind.backbone, weights="none")
    model = build_segmenter(config, num_classes).to(where).train()
    task = SegmentationTask(num_classes)
    image = torch.randn(kind.batch_size, 3, *size, device=where)
    label = torch.zeros(kind.batch_size, *size, dtype=torch.uint8, device=where)
    start = 0.0
    for step in range(STEPS + 1):
        if step == 1:
            start = time.perf_counter()
        for level in task.levels(model, image):
            task.supervised_loss(level, label).backward(retain_graph=True)
        if where == "cuda":
            torch.cuda.synchronize()
    return (time.perf_counter() - start) / STEPS
