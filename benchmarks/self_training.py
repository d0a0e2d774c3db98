"""What a step of self-training costs against one on the source alone, and that memory stays flat.

    python benchmarks/self_training.py [--backbone squeezenet1_0] [--steps 20] [--memory 1000]
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

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.config import ModelConfig, ModelOptimizer
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import model_optimizer
from segadapt.methods.base import find_method
from segadapt.models.build import build_segmenter
from segadapt.tasks.segmentation import SegmentationTask

METHODS: dict[str, dict[str, Any]] = {
    "source_only": {},
    "dacs": {"threshold": 0.0},
    "mic": {"threshold": 0.0, "lambda_feature": 0.0, "block": 32},
}
CLASSES = 19


def training(name: str, model: ModelConfig, device: str) -> TrainingStep:
    """A method with a network of its own."""
    kind = find_method(name)
    task = SegmentationTask(CLASSES, input_format=model.input_format)
    method = kind(kind.Config(**METHODS[name]), task)
    torch.manual_seed(0)
    net = build_segmenter(model, CLASSES).to(device, memory_format=torch.channels_last).train()
    method.begin(net)
    method.to(device)
    optimizer = model_optimizer(net, ModelOptimizer(name="adamw", lr=1e-5))
    return TrainingStep(method, {"model": net}, {"model": optimizer}, lambda iteration: 1.0)


def batches(size: tuple[int, int], number: int, device: str) -> Any:
    """One of each domain."""
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, number, 3, *size, generator=generator).to(
        device, memory_format=torch.preserve_format
    )
    label = torch.randint(0, CLASSES, (number, *size), generator=generator, dtype=torch.uint8)
    as_trained = [x.contiguous(memory_format=torch.channels_last) for x in image]
    return LabelledBatch(as_trained[0], label.to(device)), UnlabelledBatch(as_trained[1])


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
    pair = batches(tuple(arguments.size), arguments.batch_size, arguments.device)
    steps = {name: training(name, model, arguments.device) for name in METHODS}
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
