"""Seconds of ``segadapt predict`` on photos, beside those of the network alone on the same.

    python benchmarks/predict.py CHECKPOINT PHOTOS [--write labels,overlays] [--workers 2]

The network alone has the photos decoded and resized in memory beforehand, and its scores are thrown
away. Rounds alternate; the fastest of each counts, as other work only lengthens it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from segadapt.commands.predict.options import kinds_of
from segadapt.commands.predict.run import predict_files
from segadapt.data.listing import find_images
from segadapt.data.transforms import read_image
from segadapt.engine.predict import load


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--write", default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    predictor = load(options.checkpoint)
    paths = find_images(options.photos).values()
    images = [torch.from_numpy(read_image(x, predictor.size))[None] for x in paths]
    alone, whole = [], []
    for _ in range(options.rounds):
        start = time.perf_counter()
        for image in images:
            predictor.logits(image)
        alone.append(time.perf_counter() - start)
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            predict_files(
                options.checkpoint,
                [str(options.photos)],
                Path(out),
                kinds=kinds_of(options.write),
                workers=options.workers,
            )
            whole.append(time.perf_counter() - start)
    threads = torch.get_num_threads()
    print(f"{len(images)} photos, {threads} threads of torch: network alone {min(alone):.1f} s")
    print(f"predict {min(whole):.1f} s, {min(whole) / min(alone):.2f} times that")


if __name__ == "__main__":
    main()
