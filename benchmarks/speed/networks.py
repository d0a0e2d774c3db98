"""Networks with random weights, and what they run on."""

from __future__ import annotations

import torch

from segadapt.base.classes import CITYSCAPES_19
from segadapt.base.compute import Compute
from segadapt.config import ModelConfig
from segadapt.engine.fabric import Processes, launch
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel

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


def _alone(processes: Processes) -> Processes:
    return processes
