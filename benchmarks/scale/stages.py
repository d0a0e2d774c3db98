"""What stages cost for each further image of 1024x512, in a core's seconds and in bytes.

    python -m benchmarks.scale.stages CAMVID [--weights FILE] [--numbers 6 18] [--folder FOLDER]

CAMVID is a folder in that data set's layout. Its images are enlarged to JPEG files of 2048x1024, a
light network is trained on it for some minutes, and every stage looks at 6 of them and then at 18:
the difference is what further images cost, without what a stage takes to begin and to end. Seconds
are those of all processes of the stage together, with one thread of torch, so that others on the
machine count less.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

import segadapt
from benchmarks.scale.folder import SIZE
from benchmarks.speed.networks import LIGHT, processes_on
from segadapt.base.classes import CITYSCAPES_19
from segadapt.config import ModelConfig
from segadapt.config.load import validate
from segadapt.data.domain import Domain
from segadapt.engine.predict import Predictor
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel
from segadapt.stages.context import StageContext, Work

STORED = (1024, 2048)
"""(height, width) of the enlarged files."""
SMALL = [224, 320]
MILLION = 10**6
STEP = 6
"""Images for which a training does one step, which has one of each domain."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--weights", default="none", help="starting weights of squeezenet1_0")
    parser.add_argument("--iterations", type=int, default=150)
    parser.add_argument("--numbers", type=int, nargs=2, default=[6, 18])
    parser.add_argument("--folder", type=Path, help="kept; a temporary one where not given")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root: Path = (options.folder or Path(temporary)).absolute()
        few, many = options.numbers
        enlarge(options.camvid, root / "large", many)
        raw = recipe(options.camvid.absolute(), root / "large", few, options)
        stages = raw["stages"]
        alone = {**raw, "stages": {"train": stages.pop("train")}}
        trained = segadapt.run(validate(alone, "stages"), out=root / "trained", data_root=root)
        print("| stage | core-seconds/image | core-hours of 10^6 | kB/image | files/image |")
        print("|---|---|---|---|---|")
        for name in stages:
            one, other = (_left_by(name, trained, root, number, options) for number in (few, many))
            seconds, size, files = ((b - a) / (many - few) for a, b in zip(one, other, strict=True))
            hours = seconds * MILLION / 3600
            print(
                f"| {name} | {seconds:.3f} | {hours:.0f} | {size / 1e3:.1f} | {files:.2f} |",
                flush=True,
            )
        _parts(_context(trained, root, many, options))


def _context(trained: Path, root: Path, number: int, options: argparse.Namespace) -> StageContext:
    raw = recipe(options.camvid.absolute(), root / "large", number, options)
    return StageContext(validate(raw, "stages"), root / f"run-{number}", root, seed=0)


def enlarge(camvid: Path, to: Path, number: int) -> None:
    """The first images and labels, as files of 2048x1024."""
    for part, kind in (("images", Image.Resampling.BICUBIC), ("labels", Image.Resampling.NEAREST)):
        folder = to / part / "train"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((camvid / part / "train").iterdir())[:number]:
            picture = Image.open(path).resize(STORED[::-1], kind)
            if part == "images":
                picture.save(folder / f"{path.stem}.jpg", quality=92)
            else:
                picture.save(folder / f"{path.stem}.png")


def recipe(camvid: Path, large: Path, number: int, options: argparse.Namespace) -> dict[str, Any]:
    """Every stage that looks at images, none of which shows any in the report."""
    seen = {
        "dataset": "camvid",
        "split": "train",
        "root": str(large),
        "size": list(SIZE),
        "limit": number,
    }
    model = {"backbone": LIGHT, "weights": options.weights}
    look: dict[str, Any] = {"checkpoint": "train.checkpoint", "images": "target"}
    small = {"dataset": "camvid", "split": "train", "root": str(camvid), "size": SMALL}
    return {
        "name": "stages",
        "domains": {
            "small": {**small, "role": "source"},
            "source": {**seen, "role": "source"},
            "target": {**seen, "role": "target"},
            "test": {**seen, "role": "test"},
        },
        "stages": {
            "train": {
                "stage": "train",
                "method": "source_only",
                "source": "small",
                "model": model,
                "batch_size": 4,
                "iterations": options.iterations,
                "snapshots": 2,
            },
            "adapt": {
                "stage": "train",
                "method": "minent",
                "source": "source",
                "target": "target",
                "model": model,
                "iterations": number // STEP,
            },
            "rank": {**look, "stage": "rank", "gallery": 0},
            "labels": {**look, "stage": "pseudo_label"},
            "pixels": {
                **look,
                "stage": "pixel_split",
                "selection": {"proportion": 0.6},
                "gallery": 0,
            },
            "select": {"stage": "select", "snapshots": "train.snapshots", "images": "target"},
            "inspect": {
                "stage": "inspect",
                "checkpoints": ["train.checkpoint"],
                "images": "target",
                "pictures": 0,
            },
            "fourier": {
                "stage": "translate",
                "source": "source",
                "target": "target",
                "gallery": 0,
            },
            "counts": {"stage": "class_counts", "source": "source"},
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["train.checkpoint"],
                "pictures": 0,
            },
        },
    }


class Left(NamedTuple):
    """What a stage took and left."""

    seconds: float
    """Of a core."""
    size: int
    """Bytes of the disk, in whole blocks."""
    files: int


def _left_by(
    name: str, trained: Path, root: Path, number: int, options: argparse.Namespace
) -> Left:
    context = _context(trained, root, number, options)
    work = Work(name, context, processes_on("cpu"))
    shutil.rmtree(work.directory, ignore_errors=True)
    work.directory.mkdir(parents=True)
    checkpoint = context.stage_directory("train")
    if not checkpoint.exists():
        shutil.copytree(trained / "1-train", checkpoint)
    start = _core_seconds()
    context.recipe.stages[name].run(work)
    seconds = _core_seconds() - start
    files = [path for path in work.directory.rglob("*") if path.is_file()]
    return Left(seconds, sum(path.stat().st_blocks * 512 for path in files), len(files))


def _core_seconds() -> float:
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def _parts(context: StageContext) -> None:
    processes = processes_on("cpu")
    domain = context.domain("target", labelled=False)
    print(f"decoding and resizing: {_decoding(domain):.4f} core-seconds/image")
    light = context.predictor("train.checkpoint", processes)
    print(f"{LIGHT} alone: {_alone(light, domain):.3f} core-seconds/image")
    config = ModelConfig(backbone="resnet101", weights="none")
    large = build_segmenter(config, len(CITYSCAPES_19.names))
    model = TrainedModel(large, config, CITYSCAPES_19, SIZE)
    found = _alone(Predictor(model, processes), domain)
    print(f"resnet101 alone: {found:.3f} core-seconds/image")


def _decoding(domain: Domain) -> float:
    return _median([partial(domain.sized, i) for i in range(len(domain))])


def _alone(predictor: Predictor, domain: Domain) -> float:
    image = torch.from_numpy(domain.image(0))[None]
    return _median([lambda: predictor.probability(image, SIZE)] * 4)


def _median(calls: list[Callable[[], object]]) -> float:
    times = []
    for call in calls:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
