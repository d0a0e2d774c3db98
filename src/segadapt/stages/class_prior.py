"""The ``class_prior`` stage: how often each class occurs in the source's labels."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from segadapt.artefacts import ClassPrior
from segadapt.config import ClassPriorStage
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.errors import SegadaptError
from segadapt.stages.context import StageContext


class _Counted(NamedTuple):
    indices: list[int]
    pixels: torch.Tensor


def run(
    name: str,
    config: ClassPriorStage,
    context: StageContext,
    directory: Path,
    processes: Processes,
) -> dict[str, Any]:
    """Count labelled pixels by class over all images, and leave ``class_prior.json``."""
    domain = context.domain(config.source, labelled=True)
    classes = domain.classes.names

    def count(index: int) -> _Counted:
        counts = np.bincount(domain.label(index).ravel(), minlength=256)[: len(classes)]
        return _Counted([index], torch.from_numpy(counts))

    def counted() -> Iterator[_Counted]:
        mine = range(processes.rank, len(domain), processes.count)
        # Decoding gives Python's lock back, so threads serve; nothing of an image is kept.
        with ThreadPoolExecutor(max(1, config.workers)) as pool:
            yield from pool.map(count, mine)

    pixels = torch.zeros(len(classes), dtype=torch.long)
    for one in progress(counted(), name, len(domain), processes):
        pixels += one.pixels
    pixels = processes.sum(pixels.to(processes.device)).cpu()
    if not pixels.sum():
        raise SegadaptError(f"{domain.title}: no labelled pixel, so there is no class prior")
    prior = ClassPrior(config.source, classes, tuple(pixels.tolist()))
    if processes.is_first:
        prior.save(directory)
    processes.barrier()
    return {"shares": dict(zip(classes, prior.shares, strict=True))}
