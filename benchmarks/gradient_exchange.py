"""Seconds that two processes spend on averaging gradients: our one exchange a step, and DDP's.

    torchrun --nproc_per_node 2 benchmarks/gradient_exchange.py resnet50 --height 96 --width 128

A step is MinEnt's: a backward pass of the source's loss, one of the target's. DDP exchanges in
buckets during the last one, and not in the first (``no_sync``); ours once after both.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import statistics
import time
from collections.abc import Callable

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from segadapt.config import ModelConfig
from segadapt.engine.fabric import Processes
from segadapt.losses.entropy import entropy_map
from segadapt.models.build import build_segmenter

CLASSES = 19


def main() -> None:
    """Measure in rounds, each way once a round, and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backbone")
    parser.add_argument("--height", type=int, default=96)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--steps", type=int, default=15)
    options = parser.parse_args()
    fabric = Fabric(accelerator="auto", devices=2, strategy="ddp")
    fabric.launch()
    processes = Processes(fabric)
    settings = {"backbone": options.backbone, "weights": "none", "heads": "single"}
    config = ModelConfig.model_validate(settings)
    torch.manual_seed(0)
    model = build_segmenter(config, CLASSES).to(processes.device).train()
    source, target = torch.randn(2, 1, 3, options.height, options.width, device=processes.device)
    parameters = [x for x in model.parameters() if x.requires_grad]
    # Of a copy: its hooks count every backward pass through the weights, wrapped or not.
    wrapped = DistributedDataParallel(copy.deepcopy(model))

    def alone() -> None:
        _passes(model, source, target, contextlib.nullcontext())

    def ours() -> None:
        alone()
        processes.average_gradients(parameters)

    def ddp() -> None:
        _passes(wrapped, source, target, wrapped.no_sync())

    ways: dict[str, Callable[[], None]] = {"no exchange": alone, "ours": ours, "DDP": ddp}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(options.steps + 2):
        for name, way in ways.items():
            model.zero_grad(set_to_none=True)
            wrapped.zero_grad(set_to_none=True)
            processes.barrier()
            start = time.perf_counter()
            way()
            if processes.device.type == "cuda":
                torch.cuda.synchronize()
            if index > 1:
                times[name].append(time.perf_counter() - start)
    if processes.is_first:
        size = sum(x.numel() for x in parameters)
        print(f"{options.backbone}: {size / 1e6:.1f} million weights")
        for name, seconds in times.items():
            print(f"{name:12} {1e3 * statistics.median(seconds):7.1f} ms a step")


def _passes(
    network: nn.Module,
    source: Tensor,
    target: Tensor,
    first: contextlib.AbstractContextManager[None],
) -> None:
    with first:
        logits = network(source).main
        label = torch.zeros(logits.shape[0], *logits.shape[2:], dtype=torch.long).to(logits.device)
        nn.functional.cross_entropy(logits, label).backward()  # type: ignore[no-untyped-call]
    entropy_map(network(target).main.softmax(dim=1)).mean().backward()


if __name__ == "__main__":
    main()
