"""Networks whose weights the processes of a training share, and copies that need no others."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from segadapt.engine.fabric import Processes
from segadapt.engine.sharding import is_sharded, shard, whole
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel
from segadapt.models.segmenter import Segmenter


def shard_all(model: Segmenter, method: nn.Module, processes: Processes) -> None:
    """Share the model, and segmenters that a method keeps beside it: teachers, starting weights."""
    kept = [module for module in method.modules() if isinstance(module, Segmenter)]
    shard([model, *kept], processes)


def undivided(trained: TrainedModel) -> TrainedModel:
    """With all of its weights, in the host's memory, as files and scores need it.

    Itself where nothing is shared. All processes must call it.
    """
    if not is_sharded(trained.model):
        return trained
    state = whole(trained.model.state_dict(), keep=True)
    # What a training draws later must not depend on how often its network is written.
    with torch.random.fork_rng(devices=[]):
        network = build_segmenter(trained.config, len(trained.classes.names))
    network.load_state_dict(state)
    return replace(trained, model=network)
