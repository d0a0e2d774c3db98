"""The ``draw`` stage: the embedded procedural scenes as image and label files."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

from segadapt.artefacts import SCENES_FOLDER
from segadapt.config import DrawStage
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.stages.context import StageContext
from segadapt.stages.draw_job import Job, draw

SPLITS: tuple[Literal["rendered", "camera_train", "camera_val"], ...] = (
    "rendered",
    "camera_train",
    "camera_val",
)


class _Drawn(NamedTuple):
    indices: list[int]


def run(
    name: str, config: DrawStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Draw ``counts`` scenes of each split; those already on disk are kept."""
    if processes.is_first:
        # Splits take their seeds from disjoint ranges, so that no layout is in two of them. The
        # scenes are a data set: they do not change with the run's seed.
        jobs = [
            Job(directory / SCENES_FOLDER, split, i, config.seed + s * 10_000_000 + i, config.size)
            for s, split in enumerate(SPLITS)
            for i in range(config.counts.get(split, 0))
        ]
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            drawn = (_Drawn([i]) for i in pool.map(draw, jobs, chunksize=16))
            for _ in progress(drawn, name, len(jobs), processes):
                pass
    processes.barrier()
    return {"scenes": sum(config.counts.values())}
