"""Plain loops to compare with: AdvEnt's (see :mod:`benchmarks.speed.plain_advent`), and one of the
source alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.speed.plain_advent import plain_step
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.engine.loop import TrainingStep
from segadapt.models.segmenter import Segmenter

Step = Callable[[LabelledBatch, UnlabelledBatch | None], None]


def plain_loop(method: str, step: TrainingStep) -> Step | None:
    """The method written straight, on the networks of ``step``; None where there is none."""
    model = step.nets["model"]
    assert isinstance(model, Segmenter)
    if method == "source_only":
        return plain_source_only(model, step.optimizers)
    if method != "advent":
        return None
    judges = {n: x for n, x in step.nets.items() if isinstance(x, nn.Sequential)}
    advent = plain_step(model, judges, dict(step.optimizers))

    def run(source: LabelledBatch, target: UnlabelledBatch | None) -> None:
        assert target is not None
        advent(source._replace(label=source.label.long()), target)

    return run


def plain_source_only(model: Segmenter, optimizers: Mapping[str, torch.optim.Optimizer]) -> Step:
    """One iteration of supervised training on networks of two levels."""

    def run(source: LabelledBatch, target: UnlabelledBatch | None) -> None:
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        output = model(source.image)
        size = source.image.shape[-2:]
        losses = [
            F.cross_entropy(
                F.interpolate(x, size, mode="bilinear", align_corners=True),
                source.label.long(),
                ignore_index=255,
            )
            for x in (output.main, output.aux)
            if x is not None
        ]
        (losses[0] + 0.1 * sum(losses[1:])).backward()
        for optimizer in optimizers.values():
            optimizer.step()

    return run
