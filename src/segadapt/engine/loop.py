"""The only training loop."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.errors import Interrupted, SegadaptError
from segadapt.base.signals import STOPPING
from segadapt.engine.fabric import Processes
from segadapt.engine.log import TrainingLog
from segadapt.engine.optim import set_learning_rate
from segadapt.engine.sharding import own_part
from segadapt.engine.state import TrainingState

SourceBatch = LabelledBatch | UnlabelledBatch


class Learner(Protocol):
    """What is trained: a :class:`~segadapt.methods.base.Method`, or CycleGAN."""

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: Any,
        target: Any,
        backward: Callable[[Tensor], None],
    ) -> dict[str, Tensor]:
        """See :meth:`segadapt.methods.base.Method.step`."""


def evenly_spaced(number: int, iterations: int) -> list[int]:
    """``number`` counts of done iterations (or one for each), the last being the training's end."""
    number = min(number, iterations)
    return [round(k * iterations / number) for k in range(1, number + 1)]


@dataclass
class TrainingStep:
    """One iteration: all of a method's losses, then one step of every optimizer.

    ``rate_factor`` is the factor on all learning rates at an iteration, from 0.
    """

    method: Learner
    nets: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    rate_factor: Callable[[int], float]
    clip_norm: float | None = None
    average_gradients: Callable[[list[nn.Parameter]], None] | None = None
    autocast: Callable[[], contextlib.AbstractContextManager[None]] = field(
        default=contextlib.nullcontext
    )

    def __call__(
        self, iteration: int, source: SourceBatch, target: UnlabelledBatch | None
    ) -> dict[str, Tensor]:
        """Run iteration ``iteration`` (from 0) and return the method's losses, detached."""
        set_learning_rate(self.optimizers.values(), self.rate_factor(iteration))
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            losses = self.method.step(self.nets, source, target, lambda loss: loss.backward())
        _require_losses(losses, self.method)
        if self.average_gradients is not None:
            self.average_gradients([p for net in self.nets.values() for p in net.parameters()])
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.nets["model"].parameters(), self.clip_norm)
        for optimizer in self.optimizers.values():
            optimizer.step()
        return losses

    def learning_rate(self) -> float:
        """The current rate of the first optimizer's first parameter group."""
        return float(next(iter(self.optimizers.values())).param_groups[0]["lr"])


def train(
    step: TrainingStep,
    state: TrainingState,
    batches: Callable[[int], Iterator[tuple[SourceBatch, UnlabelledBatch | None]]],
    log: TrainingLog,
    iterations: int,
    save_every: int,
    log_every: int,
    keep_at: Set[int] = frozenset(),
    keep: Callable[[int], None] = lambda iteration: None,
) -> None:
    """Train from the saved state, if there is one, to ``iterations``.

    Args:
        step: one iteration.
        state: where the state is kept; a killed run goes on from there with the same numbers.
        batches: gives the batches from an iteration on.
        log: where numbers go.
        iterations: number of iterations of the whole stage.
        save_every: iterations between two saved states.
        log_every: iterations between two log records.
        keep_at: numbers of done iterations after which ``keep`` is called, on every process.
        keep: keeps a snapshot of the networks.

    Raises:
        SegadaptError: a loss or a weight is not finite.
        Interrupted: SIGINT or SIGTERM came; the state was saved.
    """
    start = state.load()
    processes = state.processes
    log.begin(start, iterations)
    for net in step.nets.values():
        net.train()
    clock, images = time.perf_counter(), 0
    with contextlib.closing(log), _stop_on_signals() as stopped:
        stream = batches(start)
        for iteration in range(start, iterations):
            source, target = next(stream)
            losses = step(iteration, source, target)
            images += source.image.shape[0]
            done = iteration + 1
            # All processes stop after the same iteration, whichever of them the signal reached.
            stop = processes.any(bool(stopped))
            regular = done % save_every == 0 or done == iterations
            saving = regular or stop
            if saving or done % log_every == 0:
                values = _finite(losses, f"{log.title}: iteration {done}", processes)
                if regular or done % log_every == 0:  # the same lines whenever somebody stops it
                    seconds = time.perf_counter() - clock
                    log.record(done, values, step.learning_rate(), images / max(seconds, 1e-9))
                    clock, images = time.perf_counter(), 0
            if done in keep_at:
                _require_finite_weights(step.nets, f"{log.title}: iteration {done}", processes)
                keep(done)
            if saving:
                _require_finite_weights(step.nets, f"{log.title}: iteration {done}", processes)
                state.save(done)
            if stop:
                raise Interrupted(f"{log.title}: stopped after iteration {done} of {iterations}")
        if processes.any(bool(stopped)):  # it came while the last state was written
            raise Interrupted(f"{log.title}: stopped at its end")


def _require_losses(losses: object, method: Learner) -> None:
    """A user's own method may have forgotten to return them, or return something else."""
    if (
        not isinstance(losses, Mapping)
        or not losses
        or not all(isinstance(x, Tensor) and x.ndim == 0 for x in losses.values())
    ):
        raise SegadaptError(
            f"{type(method).__module__}:{type(method).__qualname__}: step must return its losses, "
            "detached numbers by name, as in {'loss_seg_main': loss.detach()}"
        )


def _finite(losses: Mapping[str, Tensor], place: str, processes: Processes) -> dict[str, float]:
    """Losses as numbers, averaged over the processes."""
    # One transfer for all losses: each .item() would wait for the device.
    stacked = torch.stack([x.detach().float() for x in losses.values()])
    values = dict(zip(losses, processes.mean(stacked).tolist(), strict=True))
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise _diverged(f"{place}: {', '.join(bad)}")
    return values


def _require_finite_weights(
    nets: Mapping[str, nn.Module], place: str, processes: Processes
) -> None:
    # A step can spoil the weights after its losses were still finite.
    for name, net in nets.items():
        parts = [own_part(p.detach()) for p in net.parameters()]
        if processes.any(not torch.stack([part.isfinite().all() for part in parts]).all()):
            raise _diverged(f"{place}: the weights of {name}")


def _diverged(what: str) -> SegadaptError:
    return SegadaptError(
        f"{what} became non-finite, training diverged; lower optimizer.lr or (of a segmenter) "
        "set optimizer.clip_norm, and do the stage again with --redo"
    )


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[list[int]]:
    """Collects what asks to stop instead of dying of them; a second one acts as usual."""
    seen: list[int] = []
    previous: dict[signal.Signals, object] = {}

    def handler(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        for which, old in previous.items():
            signal.signal(which, old)  # type: ignore[arg-type]

    try:
        for which in STOPPING:
            previous[which] = signal.signal(which, handler)
    except ValueError:  # not the main thread: whoever runs us there deals with signals
        pass
    try:
        yield seen
    finally:
        if not seen:
            for which, old in previous.items():
                signal.signal(which, old)  # type: ignore[arg-type]
