"""The ``draw`` stage: the embedded procedural scenes as image and label files."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from segadapt.artefacts import SCENES_FOLDER
from segadapt.base.signals import left_to_parent
from segadapt.engine.log import progress
from segadapt.stages.context import Work
from segadapt.stages.draw.config import DrawStage
from segadapt.stages.draw.job import Job, draw
from segadapt.stages.draw.splits import SPLITS


class _Drawn(NamedTuple):
    indices: list[int]


def run(stage: DrawStage, work: Work) -> dict[str, Any]:
    """Draw ``counts`` scenes of each split; those already on disk are kept."""
    if work.processes.is_first:
        # Splits take their seeds from disjoint ranges, so that no layout is in two of them. The
        # scenes are a data set: they do not change with the run's seed.
        jobs = [
            Job(
                work.directory / SCENES_FOLDER,
                split,
                i,
                stage.seed + s * 10_000_000 + i,
                stage.size,
            )
            for s, split in enumerate(SPLITS)
            for i in range(stage.counts.get(split, 0))
        ]
        with ProcessPoolExecutor(
            mp_context=get_context("spawn"), initializer=left_to_parent
        ) as pool:
            drawn = (_Drawn([i]) for i in pool.map(draw, jobs, chunksize=16))
            for _ in progress(drawn, work.name, len(jobs), work.processes):
                pass
    work.processes.barrier()
    return {"scenes": sum(stage.counts.values())}
