"""Draws one scene into files. Apart, because worker processes that import torch start slowly."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image

from segadapt.base.classes import CAMVID_11
from segadapt.base.pictures import label_picture
from segadapt.data.boxes.class_sets import SCENE_THINGS_3
from segadapt.data.boxes.voc_text import voc_text
from segadapt.data.scenes import draw_scene
from segadapt.stages.draw.splits import SPLITS, Split


class Job(NamedTuple):
    """A scene to draw: below which folder, which split and number, from which seed."""

    root: Path
    split: Split
    number: int
    seed: int
    size: tuple[int, int]


def draw(job: Job) -> int:
    """Draw a scene unless it is on disk; returns its number."""
    image = job.root / "images" / job.split / f"{job.number:05d}.png"
    label = job.root / "labels" / job.split / f"{job.number:05d}.png"
    boxes = job.root / "boxes" / job.split / f"{job.number:05d}.xml"
    if not image.is_file():
        domain, condition = SPLITS[job.split]
        scene = draw_scene(domain, job.seed, job.size, condition)
        boxes.parent.mkdir(parents=True, exist_ok=True)
        boxes.write_text(voc_text(scene.boxes, SCENE_THINGS_3.names, job.size))
        for path, picture in (
            (label, label_picture(scene.label, CAMVID_11)),
            (image, Image.fromarray(scene.image)),  # last: it says that the scene is complete
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            picture.save(partial, format="PNG")
            partial.replace(path)
    return job.number
