"""Exports one network with random weights and times the file beside torch: a line of JSON.

python -m benchmarks.export.one TRUNK HEAD FOLDER [--size H W] [--output scores] [--half]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.exported import one_thread_session
from segadapt.base.classes import CAMVID_11, ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.commands.export import export_checkpoint
from segadapt.config import ModelConfig
from segadapt.engine.exported.graph import INPUT_NAME, Graph
from segadapt.engine.exported.pictures import pictures
from segadapt.models.build import build_segmenter
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint

SECONDS = 2.0
"""Of processor time for each side."""
SHOWN = (1, 256, 320)
"""Batch, height and width of the pictures that are timed."""


def checkpoint(trunk: str, head: str, size: tuple[int, int] | None, file: Path) -> None:
    torch.manual_seed(0)
    config = ModelConfig(backbone=trunk, heads=head, weights="none", input_format="rgb_mean_std")
    network = build_segmenter(config, len(CAMVID_11.names)).eval()
    classes = CAMVID_11
    if head == "ssd":
        classes = ClassSet("boxes", CAMVID_11.names, CAMVID_11.colours, boxes=True)
    save_checkpoint(file, TrainedModel(network, config, classes, size))


def images_a_second(runs: list[Callable[[], Any]]) -> list[float]:
    """Of each, by turns, in seconds of this process's one thread."""
    for run in runs:
        run()
    spent, rounds = [0.0] * len(runs), 0
    while min(spent) < SECONDS:
        for i, run in enumerate(runs):
            begun = time.process_time()
            run()
            spent[i] += time.process_time() - begun
        rounds += 1
    return [rounds / x for x in spent]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("trunk")
    parser.add_argument("head")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", nargs=2, type=int)
    parser.add_argument("--output", default="scores")
    parser.add_argument("--half", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    file = given.folder / "model.safetensors"
    try:
        size = (given.size[0], given.size[1]) if given.size else None
        checkpoint(given.trunk, given.head, size, file)
        begun = time.process_time()
        done = export_checkpoint(
            file, given.folder / "model.onnx", output=given.output, half=given.half
        )
    except SegadaptError as error:
        print(json.dumps({"refused": str(error)}))
        return
    seconds = time.process_time() - begun
    image = pictures(SHOWN, "float")
    graph = Graph(load_checkpoint(file), "float", given.output).eval()
    session = one_thread_session(done.path)
    array = {INPUT_NAME: image.numpy()}
    with torch.no_grad():
        fast = images_a_second([lambda: session.run(None, array), lambda: graph(image)])
    shapes = ["{}x{}x{}".format(*found.shape) for found in done.agreements]
    print(
        json.dumps(
            {
                "traced": shapes[0],
                "verified": shapes[1:],
                "difference": max(found.difference for found in done.agreements),
                "equal": min(found.equal for found in done.agreements),
                "bytes": done.bytes,
                "seconds": seconds,
                "runtime": fast[0],
                "torch": fast[1],
            }
        )
    )


if __name__ == "__main__":
    main()
