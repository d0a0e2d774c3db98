"""The ``draw`` stage: the embedded procedural scenes as image and label files."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

from PIL import Image

from segadapt.artefacts import SCENES_FOLDER
from segadapt.classes import CAMVID_11
from segadapt.config import DrawStage
from segadapt.data.scenes import draw_scene
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.pictures import label_picture
from segadapt.stages.context import StageContext

SPLITS: tuple[Literal["rendered", "camera_train", "camera_val"], ...] = (
    "rendered", "camera_train", "camera_val",
)


class _Job(NamedTuple):
    root: Path
    split: str
    number: int
    seed: int
    size: tuple[int, int]


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
            _Job(directory / SCENES_FOLDER, split, i, config.seed + s * 10_000_000 + i, config.size)
            for s, split in enumerate(SPLITS)
            for i in range(config.counts.get(split, 0))
        ]
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            drawn = (_Drawn([i]) for i in pool.map(_draw, jobs, chunksize=16))
            for _ in progress(drawn, name, len(jobs), processes):
                pass
    processes.barrier()
    return {"scenes": sum(config.counts.values())}


def _draw(job: _Job) -> int:
    image = job.root / "images" / job.split / f"{job.number:05d}.png"
    label = job.root / "labels" / job.split / f"{job.number:05d}.png"
    if not image.is_file():
        scene = draw_scene("rendered" if job.split == "rendered" else "camera", job.seed, job.size)
        for path, picture in (
            (label, label_picture(scene.label, CAMVID_11)),
            (image, Image.fromarray(scene.image)),  # last: it says that the scene is complete
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            picture.save(partial, format="PNG")
            partial.replace(path)
    return job.number
