"""The ``class_counts`` stage: which image shows how much of which class."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from segadapt.artefacts import ClassCounts
from segadapt.engine.log import progress
from segadapt.stages.class_counts.config import ClassCountsStage
from segadapt.stages.context import Work


class _Counted(NamedTuple):
    indices: list[int]
    pixels: list[int]


def run(stage: ClassCountsStage, work: Work) -> dict[str, Any]:
    """Count, at the labels' own resolution, and leave ``class_counts.json``."""
    domain = work.context.domain(stage.source, labelled=True)
    classes = domain.classes.names

    def count(index: int) -> _Counted:
        counts = np.bincount(domain.label(index).ravel(), minlength=256)[: len(classes)]
        return _Counted([index], counts.tolist())

    def counted() -> Iterator[_Counted]:
        mine = range(work.processes.rank, len(domain), work.processes.count)
        # Decoding gives Python's lock back, so threads serve.
        with ThreadPoolExecutor(max(1, stage.workers)) as pool:
            yield from pool.map(count, mine)

    mine = {}
    for one in progress(counted(), work.name, len(domain), work.processes):
        mine[one.indices[0]] = one.pixels
    found = {i: n for part in work.processes.gather(mine) for i, n in part.items()}
    rows = tuple(tuple(found[i]) for i in range(len(domain)))
    if work.processes.is_first:
        names = tuple(sample.name for sample in domain.samples)
        ClassCounts(stage.source, classes, names, rows).save(work.directory)
    work.processes.barrier()
    total = np.array(rows).sum(axis=0)
    shares = (total / max(1, total.sum())).tolist()
    return {"shares": dict(zip(classes, shares, strict=True)), "images": len(rows)}
