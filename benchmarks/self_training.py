"""What a step of self-training costs against one on the source alone, and that memory stays flat.

    python -m benchmarks.self_training [--backbone squeezenet1_0] [--steps 20] [--memory 1000]
        [--size 128 160] [--device cpu]

Batches are noise and on the device already: only steps are timed. Methods take turns, and of each
the median step is told. Counting forward passes as one and backward ones as two, a step of MIC has
10 (source, mixed and masked images 3 each, the teacher 1) where source-only has 3.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.method_step import batches, training
from segadapt.config import ModelConfig, ModelOptimizer

METHODS: dict[str, dict[str, Any]] = {
    "source_only": {},
    "dacs": {"threshold": 0.0},
    "mic": {"threshold": 0.0, "lambda_feature": 0.0, "block": 32},
}


def resident(device: str) -> float:
    """MiB in use: of this process, or of the GPU's allocator."""
    if device == "cuda":
        return torch.cuda.memory_allocated() / 2**20
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", default="squeezenet1_0")
    parser.add_argument("--heads", default="multi_level")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--memory", type=int, default=1000, help="steps of MIC; 0: none")
    parser.add_argument("--size", type=int, nargs=2, default=[128, 160], metavar=("H", "W"))
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    model = ModelConfig(
        backbone=arguments.backbone,
        heads=arguments.heads,
        weights="none",
        input_format="rgb_mean_std",
    )
    height, width = arguments.size
    pair = batches((height, width), arguments.batch_size, arguments.device)
    optimizer = ModelOptimizer(name="adamw", lr=1e-5)
    steps = {
        name: training(name, settings, model, arguments.device, optimizer)
        for name, settings in METHODS.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    for iteration in range(arguments.steps + 2):
        for name, step in steps.items():
            target = None if name == "source_only" else pair[1]
            if arguments.device == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            step(iteration, pair[0], target)
            if arguments.device == "cuda":
                torch.cuda.synchronize()
            if iteration >= 2:  # the first ones set up what later ones use
                seconds[name].append(time.perf_counter() - start)
    base = statistics.median(seconds["source_only"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:12} {1000 * median:8.1f} ms  {median / base:5.2f} x source-only", flush=True)
    if arguments.memory:
        step = steps["mic"]
        for iteration in range(arguments.memory):
            step(iteration, *pair)
            if (iteration + 1) % (arguments.memory // 5) == 0:
                print(
                    f"mic, step {iteration + 1}: {resident(arguments.device):.0f} MiB", flush=True
                )


if __name__ == "__main__":
    main()
