"""Seconds of ``segadapt predict`` on photos, beside those of the network alone on the same.

    python -m benchmarks.predict CHECKPOINT PHOTOS [--write labels,overlays] [--workers 2]

As ``python -m benchmarks --only predict``, with a checkpoint and photos of one's own. Rounds
alternate; the fastest of each counts, as other work only lengthens it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from benchmarks.speed.predict import images_in, network_alone, whole_command
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
    images = images_in(options.photos, predictor)
    alone, whole = [], []
    for _ in range(options.rounds):
        start = time.perf_counter()
        network_alone(predictor, images)
        alone.append(time.perf_counter() - start)
        start = time.perf_counter()
        whole_command(options.checkpoint, options.photos, options.write, options.workers, "auto")
        whole.append(time.perf_counter() - start)
    threads = torch.get_num_threads()
    print(f"{len(images)} photos, {threads} threads of torch: network alone {min(alone):.1f} s")
    print(f"predict {min(whole):.1f} s, {min(whole) / min(alone):.2f} times that")


if __name__ == "__main__":
    main()
