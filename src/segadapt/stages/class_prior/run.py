"""The ``class_prior`` stage: how often each class occurs in the source's labels."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch

from segadapt.artefacts import ClassPrior
from segadapt.base.errors import SegadaptError
from segadapt.engine.log import progress
from segadapt.stages.class_prior.config import ClassPriorStage
from segadapt.stages.context import Work


class _Counted(NamedTuple):
    indices: list[int]
    pixels: torch.Tensor


def run(stage: ClassPriorStage, work: Work) -> dict[str, Any]:
    """Count labelled pixels by class over all images, and leave ``class_prior.json``."""
    domain = work.context.domain(stage.source, labelled=True)
    classes = domain.classes.names

    def count(index: int) -> _Counted:
        counts = np.bincount(domain.label(index).ravel(), minlength=256)[: len(classes)]
        return _Counted([index], torch.from_numpy(counts))

    def counted() -> Iterator[_Counted]:
        mine = range(work.processes.rank, len(domain), work.processes.count)
        # Decoding gives Python's lock back, so threads serve; nothing of an image is kept.
        with ThreadPoolExecutor(max(1, stage.workers)) as pool:
            yield from pool.map(count, mine)

    pixels = torch.zeros(len(classes), dtype=torch.long)
    for one in progress(counted(), work.name, len(domain), work.processes):
        pixels += one.pixels
    pixels = work.processes.sum(pixels.to(work.processes.device)).cpu()
    if not pixels.sum():
        raise SegadaptError(f"{domain.title}: no labelled pixel, so there is no class prior")
    prior = ClassPrior(stage.source, classes, tuple(pixels.tolist()))
    if work.processes.is_first:
        prior.save(work.directory)
    work.processes.barrier()
    return {"shares": dict(zip(classes, prior.shares, strict=True))}
