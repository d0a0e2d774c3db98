"""A step of each method beside its networks alone: what losses, mixing and optimizers cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.measuring.contest import Benchmark, Contest, Setting
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.config import DiscriminatorOptimizer, ModelConfig, ModelOptimizer
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import adam, model_optimizer
from segadapt.methods.base import find_method
from segadapt.models.build import build_segmenter
from segadapt.models.frozen import without_gradient
from segadapt.tasks.segmentation import SegmentationTask

CLASSES = 19


class Passes(NamedTuple):
    """How often a step goes through its networks."""

    model: int
    """Forward and backward, one image each."""
    fooled: int = 0
    """Forward and backward through each discriminator to the map that it sees."""
    judged: int = 0
    """Forward and backward through each discriminator to its weights."""
    teacher: int = 0
    """Forward only."""
    heads: str = "multi_level"
    settings: Mapping[str, Any] = {}
    """Of the method, where its own would do less."""


PASSES = {
    "minent": Passes(model=2),
    "advent": Passes(model=2, fooled=1, judged=2),
    "pixintrada": Passes(model=1, fooled=1, judged=1),
    "cirn": Passes(model=2, fooled=1, judged=2, heads="ancillary"),
    "mic": Passes(
        model=3,
        teacher=1,
        settings={"threshold": 0.0, "lambda_feature": 0.0, "block": 32},
    ),
}


def training(
    name: str,
    settings: Mapping[str, Any],
    model: ModelConfig,
    device: str,
    optimizer: ModelOptimizer | None = None,
) -> TrainingStep:
    """A method with networks of its own, as a training stage makes them."""
    kind = find_method(name)
    task = SegmentationTask(CLASSES, input_format=model.input_format)
    method = kind(kind.Config(**settings), task)
    torch.manual_seed(0)
    net = build_segmenter(model, CLASSES)
    extra = method.extra_networks(net.level_names)
    nets = {"model": net, **extra}
    for one in nets.values():
        one.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    method.begin(net)
    method.to(device)
    optimizers = {"model": model_optimizer(net, optimizer or ModelOptimizer())}
    optimizers |= {n: adam(one, DiscriminatorOptimizer()) for n, one in extra.items()}
    return TrainingStep(method, nets, optimizers, lambda iteration: 1.0)


def batches(
    size: tuple[int, int], number: int, device: str
) -> tuple[LabelledBatch, UnlabelledBatch]:
    """One of each domain, noise; a third of the pixels is hard where that counts."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(2, number, 3, *size, generator=generator)
    source, target = (x.to(device).contiguous(memory_format=torch.channels_last) for x in images)
    label = torch.randint(0, CLASSES, (number, *size), generator=generator, dtype=torch.uint8)
    return LabelledBatch(source, label.to(device)), UnlabelledBatch(target)


def with_hard_pixels(source: LabelledBatch) -> LabelledBatch:
    """The same with an index of how hard each pixel is, as PixIntraDA takes it."""
    generator = torch.Generator().manual_seed(2)
    index = torch.rand(source.label.shape, generator=generator).to(source.image.device)
    hard = index > 2 / 3
    return LabelledBatch(source.image, source.label.masked_fill(hard, 255), index * hard)


def passes_alone(step: TrainingStep, passes: Passes, image: Tensor) -> None:
    """The networks' passes of a step, with gradients from nowhere."""
    model = step.nets["model"]
    model.zero_grad(set_to_none=True)
    for _ in range(passes.model):
        output = model(image)
        levels = [x for x in (output.main, output.aux) if x is not None]
        torch.autograd.backward(levels, [torch.ones_like(x) for x in levels])
    with torch.no_grad():
        for _ in range(passes.teacher):
            model(image)
    map_ = torch.full((len(image), CLASSES, *image.shape[-2:]), 1 / CLASSES, device=image.device)
    for name, discriminator in step.nets.items():
        if name != "model":
            _judge(discriminator, map_, passes)


def _judge(discriminator: nn.Module, map_: Tensor, passes: Passes) -> None:
    discriminator.zero_grad(set_to_none=True)
    for _ in range(passes.fooled):
        seen = map_.detach().requires_grad_()
        without_gradient(discriminator, seen).sum().backward()
    for _ in range(passes.judged):
        discriminator(map_).sum().backward()


@contextmanager
def _prepared(name: str, setting: Setting) -> Iterator[Contest]:
    passes = PASSES[name]
    model = ModelConfig(
        backbone=setting.trunk, heads=passes.heads, weights="none", input_format="rgb_mean_std"
    )
    ours = training(name, passes.settings, model, setting.device)
    alone = training(name, passes.settings, model, setting.device)
    target: UnlabelledBatch | None
    source, target = batches(setting.size(128, 256), 1, setting.device)
    if name == "pixintrada":  # has one domain, with pseudo-labels
        source, target = with_hard_pixels(source), None
    yield Contest(
        lambda: ours(0, source, target), lambda: passes_alone(alone, passes, source.image)
    )


BENCHMARKS = tuple(
    Benchmark(
        name=f"{name}-step",
        sentence=f"A training step of {name} on images of one size, float32.",
        ours="all of the step",
        rival="its networks' forward and backward passes alone",
        unit="step",
        prepare=partial(_prepared, name),
    )
    for name in PASSES
)
