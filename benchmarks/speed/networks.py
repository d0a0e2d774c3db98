"""Networks with random weights, and what they run on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from segadapt.base.classes import CITYSCAPES_19
from segadapt.base.compute import Compute
from segadapt.config import ModelConfig
from segadapt.engine.fabric import Processes, launch
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel
from segadapt.models.inputs import normalise

LIGHT = "squeezenet1_0"
"""For inference: what is around the network then shows beside it."""


def processes_on(device: str) -> Processes:
    """This process alone, on ``device``."""
    found: Processes = launch(_alone, (), Compute(device))
    return found


def light_network(size: tuple[int, int]) -> TrainedModel:
    """One for images of (height, width) ``size`` in the classes of Cityscapes."""
    torch.manual_seed(0)
    config = ModelConfig(backbone=LIGHT, weights="none")
    model = build_segmenter(config, len(CITYSCAPES_19.names))
    return TrainedModel(model, config, CITYSCAPES_19, size)


def as_published(trained: TrainedModel) -> Callable[[Tensor], Tensor]:
    """How the released programs ask a network: RGB (N, H, W, 3) uint8 -> scores (N, C, h, w).

    Both classifiers work, one of which is used, on images that lie class by class in memory.
    """
    model = trained.model.eval()

    @torch.inference_mode()
    def scores(image: Tensor) -> Tensor:
        main: Tensor = model(normalise(image, trained.config.input_format).contiguous()).main
        return main

    return scores


def _alone(processes: Processes) -> Processes:
    return processes
