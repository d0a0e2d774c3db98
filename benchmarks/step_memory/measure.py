"""Peak memory of one step."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from benchmarks.step_memory.cases import Training
from benchmarks.step_memory.counter import LiveBytes
from benchmarks.step_memory.plain import plain_loop
from benchmarks.step_memory.pretence import fake_tensors, types_of_gpus
from benchmarks.step_memory.training import batches, named_parts, training_step, with_states
from segadapt.base.compute import Precision


@dataclass(frozen=True)
class Counted:
    """What a step took."""

    peak: int
    """Bytes."""
    resting: int
    """Bytes that are there between two steps, gradients and a batch among them."""
    kinds: dict[str, int]
    """Bytes at the peak by kind."""
    holds: list[tuple[int, int, str]]
    """Of maps: bytes, how many, what."""


def counted(
    training: Training,
    precision: Precision = "32-true",
    recompute: bool = False,
    plain: bool = False,
    fake: bool = True,
) -> Counted | None:
    """Count a step, with all states of optimizers there.

    Args:
        training: networks, method and sizes.
        precision: of the networks.
        recompute: with ``checkpoint_activations``.
        plain: the plain loop in the method's place; None comes back where there is none.
        fake: on tensors without content; otherwise for real, on the CPU.
    """
    stage = training.stage.model_copy(update={"checkpoint_activations": recompute})
    number = len(training.classes.names)
    pretence = fake_tensors(number) if fake else contextlib.nullcontext()
    with pretence, types_of_gpus(), LiveBytes() as counter:
        step = training_step(stage, training.classes, precision, fake)
        source, target = batches(stage, training.source, training.target, number)
        given = [x for batch in (source, target) for x in batch or () if x is not None]
        counter.name("batches", given)
        loop = plain_loop(stage.method["name"], step) if plain else None
        if plain and loop is None:
            return None
        with_states(step)
        counter.restart()
        if loop is None:
            step(0, source, target)
        else:
            loop(source, target)
        for kind, tensors in named_parts(step).items():
            counter.name(kind, tensors)
        return Counted(counter.peak, counter.now, counter.kinds(), counter.holds())
