"""A training step of a recipe's stage, and batches for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import unset_fake_temporarily

from benchmarks.step_memory.pretence import filled
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.classes import ClassSet
from segadapt.base.compute import Precision
from segadapt.engine.loop import TrainingStep
from segadapt.engine.optim import adam, model_optimizer
from segadapt.methods.base import Method
from segadapt.models.build import build_segmenter
from segadapt.models.recomputed import recompute_blocks
from segadapt.stages.train.config import TrainStage
from segadapt.stages.train.method import build_method

Size = tuple[int, int]
"""(height, width)."""


def training_step(
    stage: TrainStage, classes: ClassSet, precision: Precision, fake: bool
) -> TrainingStep:
    """As a training stage makes it, with random weights, or (``fake``) inside
    :func:`~benchmarks.step_memory.pretence.fake_tensors`."""
    away: AbstractContextManager[object] = torch.device("meta") if fake else nullcontext()
    # Not on fake tensors: timm reads numbers from some while it builds.
    with unset_fake_temporarily(), away:
        method = build_method(stage, classes, None)
        model = build_segmenter(stage.model, len(classes.names))
        extra = method.extra_networks(model.level_names)
    nets: dict[str, nn.Module] = {"model": model, **extra}
    for net in (*nets.values(), method):
        if fake:
            filled(net)
        else:
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if stage.checkpoint_activations:
        recompute_blocks(model.trunk)
    method.begin(model)
    for net in nets.values():
        net.train()
    optimizers = {"model": model_optimizer(model, stage.optimizer)}
    optimizers |= {n: adam(net, stage.discriminator_optimizer) for n, net in extra.items()}
    return TrainingStep(
        method,
        nets,
        optimizers,
        lambda iteration: 1.0,
        clip_norm=stage.optimizer.clip_norm,
        autocast=lambda: torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"),
    )


def with_states(step: TrainingStep) -> None:
    """Have optimizers make what they keep, as their first step does."""
    for optimizer in step.optimizers.values():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()


def batches(
    stage: TrainStage, source: Size, target: Size, num_classes: int
) -> tuple[LabelledBatch, UnlabelledBatch | None]:
    """Noise of (height, width) ``source`` and ``target``, with all that the stage's have."""
    number = stage.batch_size
    index = torch.rand(number, *source) if stage.method["name"] == "pixintrada" else None
    label = torch.randint(0, num_classes, (number, *source), dtype=torch.uint8)
    labelled = LabelledBatch(_image(number, source), label, index)
    if stage.target is None:
        return labelled, None
    inside = None if stage.target_margins is None else torch.rand(number, *target) > 0.1
    return labelled, UnlabelledBatch(_image(number, target), inside)


def named_parts(step: TrainingStep) -> dict[str, list[Tensor]]:
    """Tensors that outlive a step, by what they are."""
    parameters = [p for net in step.nets.values() for p in net.parameters()]
    weights = parameters + [b for net in step.nets.values() for b in net.buffers()]
    states = [
        x
        for optimizer in step.optimizers.values()
        for state in optimizer.state.values()
        for x in state.values()
        if isinstance(x, Tensor)
    ]
    assert isinstance(step.method, Method)
    return {
        "weights": weights,
        "method": [*step.method.parameters(), *step.method.buffers()],
        "optimizer": states,
        "gradients": [p.grad for p in parameters if p.grad is not None],
    }


def _image(number: int, size: Size) -> Tensor:
    """(N, 3, H, W), channels last."""
    return torch.rand(number, *size, 3).permute(0, 3, 1, 2)
