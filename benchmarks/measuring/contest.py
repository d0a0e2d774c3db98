"""A benchmark: our way and a rival's, timed by turns in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from benchmarks.measuring.record import Row, Unit
from segadapt.base.errors import SegadaptError

SIDE_STEP = 32
"""Sides of images are multiples of it, which every trunk takes without padding."""


class NotHere(SegadaptError):
    """A benchmark is not for this machine; the message says why."""


@dataclass(frozen=True)
class Setting:
    """How much is measured, and where."""

    scale: float
    """Factor on the sides of images."""
    trunk: str
    """The network of training steps. Inference has a light one, so that what is around it shows."""
    rounds: int
    device: str = "cpu"

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of images in this setting."""
        sides = [SIDE_STEP * round(self.scale * side / SIDE_STEP) for side in (height, width)]
        return max(2 * SIDE_STEP, sides[0]), max(2 * SIDE_STEP, sides[1])


@dataclass(frozen=True)
class Contest:
    """Two ways to do one thing. One call of each is a turn."""

    ours: Callable[[], object]
    rival: Callable[[], object]
    things: int = 1
    """Steps or images in one turn."""


@dataclass(frozen=True)
class Benchmark:
    """What is compared with what."""

    name: str
    sentence: str
    """What is done."""
    ours: str
    rival: str
    unit: Unit
    prepare: Callable[[Setting], AbstractContextManager[Contest]]
    """Makes networks and images ready; importable by name, as it runs in a process of its own."""

    def row(
        self,
        rounds: tuple[tuple[float, float], ...],
        failure: str | None = None,
        left_out: bool = False,
    ) -> Row:
        """What is kept of it: seconds a thing of ours and of the rival by round, or why not."""
        return Row(
            name=self.name,
            sentence=self.sentence,
            ours=self.ours,
            rival=self.rival,
            unit=self.unit,
            rounds=rounds,
            failure=failure,
            left_out=left_out,
        )


def measured(benchmark: Benchmark, setting: Setting) -> Row:
    """Prepare a benchmark, give both one turn that does not count, then all rounds."""
    with benchmark.prepare(setting) as contest:
        one_round(contest, setting.device, False)
        return benchmark.row(tuple(_rounds(contest, setting)))


def one_round(contest: Contest, device: str, rival_first: bool) -> tuple[float, float]:
    """Seconds a thing of ours and of the rival, one turn each."""
    if rival_first:
        theirs, ours = _seconds(contest.rival, device), _seconds(contest.ours, device)
    else:
        ours, theirs = _seconds(contest.ours, device), _seconds(contest.rival, device)
    return ours / contest.things, theirs / contest.things


def _rounds(contest: Contest, setting: Setting) -> Iterator[tuple[float, float]]:
    for number in range(setting.rounds):
        # Who comes second finds warm caches, or a warm processor: they take turns in that too.
        yield one_round(contest, setting.device, rival_first=number % 2 == 0)


def _seconds(turn: Callable[[], object], device: str) -> float:
    start = time.perf_counter()
    turn()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
