"""Which images each iteration sees, and what chance does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segadapt.config import Jitter
from segadapt.data.rare_classes import RareClasses

SCALE_STREAM, CROP_STREAM, JITTER_STREAM, RARE_STREAM, RETRY_STREAM = 1, 2, 3, 4, 5
"""Set these random numbers apart from those of the order, whose seeds have two parts."""


class Draw(NamedTuple):
    """One image of a training batch: its number in the domain, and what is done to it."""

    image: int
    mirrored: bool
    scale: float
    place: tuple[float, float] = (0.0, 0.0)
    """Where a crop lies, (down, across): from 0, the first place, to 1, the last."""
    move: tuple[float, tuple[float, float]] | None = None
    """A factor, and how far down and right, as shares of height and width."""
    wanted: int | None = None
    """The class that was drawn first, where rare ones are."""
    again: tuple[int, ...] = ()
    """Seed of further places, where the first does not show enough."""


def training_order(
    length: int,
    batch_size: int,
    seed: int,
    start: int,
    stop: int,
    flip: bool,
    scales: tuple[float, float] = (1.0, 1.0),
    jitter: Jitter | None = None,
    rare: RareClasses | None = None,
) -> Iterator[list[Draw]]:
    """Which images each iteration sees: a new permutation every epoch, batches running across.

    Images of one batch are resized by the same factor, drawn evenly from ``scales``, and within
    their frames each by its own. With ``rare`` every image is drawn for a class of its own,
    whatever came before.

    A function of its arguments alone, so that a resumed run, or one on several processes that
    share each batch, sees the same images.
    """
    epoch, order, mirrored = -1, np.empty(0, np.int64), np.empty(0, np.bool_)
    for iteration in range(start, stop):
        batch = []
        scale = 1.0
        if scales != (1.0, 1.0):
            scale = float(np.random.default_rng((seed, iteration, SCALE_STREAM)).uniform(*scales))
        places = np.random.default_rng((seed, iteration, CROP_STREAM)).random((batch_size, 2))
        moves = _moves(jitter, batch_size, (seed, iteration, JITTER_STREAM))
        for row, position in enumerate(range(iteration * batch_size, (iteration + 1) * batch_size)):
            if position // length != epoch:
                epoch = position // length
                generator = np.random.default_rng((seed, epoch))
                order = generator.permutation(length)
                mirrored = generator.random(length) < 0.5
            i = position % length
            down, across = places[row].tolist()
            image, turned, wanted = int(order[i]), bool(mirrored[i]), None
            if rare is not None:
                generator = np.random.default_rng((seed, iteration, RARE_STREAM, row))
                wanted, image = rare.draw(generator)
                turned = bool(generator.random() < 0.5)
            again = (seed, iteration, RETRY_STREAM, row)
            batch.append(
                Draw(image, flip and turned, scale, (down, across), moves[row], wanted, again)
            )
        yield batch


def _moves(
    jitter: Jitter | None, number: int, seed: tuple[int, int, int]
) -> list[tuple[float, tuple[float, float]]] | list[None]:
    if jitter is None:
        return [None] * number
    generator = np.random.default_rng(seed)
    smallest, largest = np.log(jitter.scale)
    factors = np.exp(generator.uniform(smallest, largest, number))
    shifts = generator.uniform(-jitter.shift, jitter.shift, (number, 2))
    return [(float(z), (float(d), float(r))) for z, (d, r) in zip(factors, shifts, strict=True)]


@dataclass(frozen=True)
class TrainingOrder:
    """This process's share of :func:`training_order`, made as it is asked for: the whole of a long
    training would take gigabytes."""

    length: int
    batch_size: int
    seed: int
    iterations: tuple[int, int]
    share: tuple[int, int]
    flip: bool
    scales: tuple[float, float]
    jitter: Jitter | None
    rare: RareClasses | None = None

    def __iter__(self) -> Iterator[list[Draw]]:
        rank, count = self.share
        local = self.batch_size // count
        whole = training_order(
            self.length,
            self.batch_size,
            self.seed,
            *self.iterations,
            self.flip,
            self.scales,
            self.jitter,
            self.rare,
        )
        for batch in whole:
            yield batch[rank * local : (rank + 1) * local]
