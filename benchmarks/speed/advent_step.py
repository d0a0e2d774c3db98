"""One step of AdvEnt, in both precisions, beside the plain loop in float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from benchmarks.measuring.contest import Benchmark, Contest, NotHere, Setting
from benchmarks.speed.plain_advent import Step, plain_step
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.compute import PRECISIONS, Precision
from segadapt.config import DiscriminatorOptimizer, ModelConfig, ModelOptimizer
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import adam, model_optimizer, poly_factor
from segadapt.methods.advent import AdvEnt
from segadapt.models.adversaries.discriminator import build_discriminator
from segadapt.models.build import build_segmenter
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import SegmentationTask

NUM_CLASSES = 19


class Networks(NamedTuple):
    """A segmenter, its discriminators, and their optimizers by name."""

    model: Segmenter
    discriminators: dict[str, nn.Sequential]
    optimizers: dict[str, torch.optim.Optimizer]


def networks(trunk: str, device: str) -> Networks:
    """The same weights at each call."""
    torch.manual_seed(0)
    config = ModelConfig(backbone=trunk, weights="none")
    model = build_segmenter(config, NUM_CLASSES).to(device)
    discriminators = {
        f"discriminator_{n}": build_discriminator(NUM_CLASSES).to(device) for n in model.level_names
    }
    optimizers = {
        "model": model_optimizer(model, ModelOptimizer()),
        **{n: adam(d, DiscriminatorOptimizer()) for n, d in discriminators.items()},
    }
    return Networks(model, discriminators, optimizers)


def batches(
    source: tuple[int, int], target: tuple[int, int], device: str, layout: torch.memory_format
) -> tuple[LabelledBatch, UnlabelledBatch]:
    """One image of each (height, width), noise."""
    generator = torch.Generator().manual_seed(1)
    image, other = (
        (50 * torch.randn(1, 3, *size, generator=generator)).to(device, memory_format=layout)
        for size in (source, target)
    )
    label = torch.randint(0, NUM_CLASSES, (1, *source), generator=generator).to(device)
    return LabelledBatch(image, label), UnlabelledBatch(other)


def engine_step(found: Networks, precision: Precision, device: str) -> Step:
    """One iteration as a training stage does it."""
    nets = {"model": found.model, **found.discriminators}
    for net in nets.values():
        net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    step = TrainingStep(
        AdvEnt(AdvEnt.Config(), SegmentationTask(NUM_CLASSES)),
        nets,
        found.optimizers,
        lambda i: poly_factor(i, 250000, 0.9),
        autocast=lambda: torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"),
    )

    def run(source: LabelledBatch, target: UnlabelledBatch) -> None:
        step(0, source, target)

    return run


@contextmanager
def _prepared(precision: Precision, setting: Setting) -> Iterator[Contest]:
    # Below AVX-512 bf16 is emulated: a step takes ten times as long as in float32.
    emulated = torch.backends.cpu.get_cpu_capability() == "AVX2"
    if precision == "bf16-mixed" and setting.device == "cpu" and emulated:
        raise NotHere("bf16-mixed is for processors with AVX-512; this one has AVX2")
    sizes = setting.size(180, 320), setting.size(128, 256)
    ours = engine_step(networks(setting.trunk, setting.device), precision, setting.device)
    plain = plain_step(*networks(setting.trunk, setting.device))
    batch = batches(*sizes, setting.device, torch.channels_last)
    contiguous = batches(*sizes, setting.device, torch.contiguous_format)
    yield Contest(lambda: ours(*batch), lambda: plain(*contiguous))


BENCHMARKS = tuple(
    Benchmark(
        name=f"advent-step-{precision}",
        sentence="A training step of AdvEnt, an image of each domain, at a quarter of the sides.",
        ours=f"the engine's step in {precision}, channels last",
        rival="the published loop written plainly, float32",
        unit="step",
        prepare=partial(_prepared, precision),
    )
    for precision in PRECISIONS
)
