"""Seconds and peak memory of one AdvEnt step with ResNet-101 at the published sizes.

    python -m benchmarks.advent_step

The steps are those of ``python -m benchmarks``, which has one process for both; here every variant
runs in a process of its own, takes turns with the others, and starts from the same weights.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time

import torch

from benchmarks.speed.advent_step import batches, engine_step, networks
from benchmarks.speed.plain_advent import plain_step
from segadapt.base.compute import PRECISIONS

VARIANTS = ("plain", *PRECISIONS)
SOURCE, TARGET = (360, 640), (256, 512)  # (height, width)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, help="run one, and print JSON")
    parser.add_argument("--steps", type=int, default=3, help="counted steps, after one warm-up")
    parser.add_argument("--rounds", type=int, default=2, help="turns that each variant gets")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()
    if arguments.variant:
        print(json.dumps(measure(arguments.variant, arguments.steps, arguments.device)))
        return
    results: dict[str, list[dict[str, float]]] = {v: [] for v in VARIANTS}
    for _ in range(arguments.rounds):
        for variant in VARIANTS:
            command = [sys.executable, "-m", "benchmarks.advent_step", "--variant", variant]
            command += ["--steps", str(arguments.steps), "--device", arguments.device]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[variant].append(json.loads(output.splitlines()[-1]))
    print(
        f"{platform.processor() or platform.machine()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, {arguments.device}"
    )
    plain = statistics.median(r["seconds"] for r in results["plain"])
    print(f"{'variant':<12} {'s/step':>8} {'speed-up':>9} {'peak GiB':>9}")
    for variant, runs in results.items():
        seconds = statistics.median(r["seconds"] for r in runs)
        memory = max(r["gib"] for r in runs)
        print(f"{variant:<12} {seconds:8.2f} {plain / seconds:8.2f}x {memory:9.2f}")


def measure(variant: str, steps: int, device: str) -> dict[str, float]:
    """Median seconds of a step, and the peak of memory in GiB."""
    found = networks("resnet101", device)
    layout = torch.contiguous_format if variant == "plain" else torch.channels_last
    source, target = batches(SOURCE, TARGET, device, layout)
    precision = next((x for x in PRECISIONS if x == variant), None)
    step = plain_step(*found) if precision is None else engine_step(found, precision, device)
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        step(source, target)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"seconds": statistics.median(seconds[1:]), "gib": peak}


if __name__ == "__main__":
    main()
