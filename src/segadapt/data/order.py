"""Which images each iteration sees, and what chance does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segadapt.config import Jitter
from segadapt.data.rare_classes import RareClasses

SCALE_STREAM, CROP_STREAM, JITTER_STREAM, RARE_STREAM, RETRY_STREAM, PART_STREAM = range(1, 7)
"""Set these random numbers apart from those of the order, whose seeds have two parts."""


class Draw(NamedTuple):
    """One image of a training batch: its number among all, and what is done to it."""

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
    lengths: Sequence[int],
    batch_size: int,
    seed: int,
    start: int,
    stop: int,
    flip: bool,
    scales: tuple[float, float] = (1.0, 1.0),
    jitter: Jitter | None = None,
    rare: Sequence[RareClasses] = (),
    weights: Sequence[float] = (1.0,),
) -> Iterator[list[Draw]]:
    """Which images each iteration sees: a new permutation every epoch, batches running across.

    ``lengths`` are the numbers of images of one domain or more, which are numbered through. Of
    several, one is drawn for every image, by ``weights``; it gives the image that it would give
    here if it were alone, so that it gives none twice in an epoch of its own.

    Images of one batch are resized by the same factor, drawn evenly from ``scales``, and within
    their frames each by its own. With ``rare``, one for each domain, every image is drawn for a
    class of its own, whatever came before.

    A function of its arguments alone, so that a resumed run, or one on several processes that
    share each batch, sees the same images.
    """
    parts = [_Permutations(length, seed, number) for number, length in enumerate(lengths)]
    firsts = [sum(lengths[:number]) for number in range(len(lengths))]
    for iteration in range(start, stop):
        batch = []
        scale = 1.0
        if scales != (1.0, 1.0):
            scale = float(np.random.default_rng((seed, iteration, SCALE_STREAM)).uniform(*scales))
        places = np.random.default_rng((seed, iteration, CROP_STREAM)).random((batch_size, 2))
        moves = _moves(jitter, batch_size, (seed, iteration, JITTER_STREAM))
        drawn = _domains(weights, batch_size, (seed, iteration, PART_STREAM))
        for row, position in enumerate(range(iteration * batch_size, (iteration + 1) * batch_size)):
            part = drawn[row]
            down, across = places[row].tolist()
            image, turned = parts[part].at(position)
            wanted = None
            if rare:
                generator = np.random.default_rng((seed, iteration, RARE_STREAM, row))
                wanted, image = rare[part].draw(generator)
                turned = bool(generator.random() < 0.5)
            again = (seed, iteration, RETRY_STREAM, row)
            image += firsts[part]
            batch.append(
                Draw(image, flip and turned, scale, (down, across), moves[row], wanted, again)
            )
        yield batch


class _Permutations:
    """The order of one domain's images; that of the first does not know of others."""

    def __init__(self, length: int, seed: int, number: int) -> None:
        self._length, self._seed, self._number = length, seed, number
        self._epoch = -1

    def at(self, position: int) -> tuple[int, bool]:
        """The image at a place of the endless order, and whether it is mirrored."""
        epoch, place = divmod(position, self._length)
        if epoch != self._epoch:
            self._epoch = epoch
            own = () if self._number == 0 else (PART_STREAM, self._number)
            generator = np.random.default_rng((self._seed, epoch, *own))
            self._order = generator.permutation(self._length)
            self._mirrored = generator.random(self._length) < 0.5
        return int(self._order[place]), bool(self._mirrored[place])


def _domains(weights: Sequence[float], number: int, seed: tuple[int, int, int]) -> list[int]:
    if len(weights) == 1:
        return [0] * number
    share = np.asarray(weights) / sum(weights)
    drawn = np.random.default_rng(seed).choice(len(weights), number, p=share)
    return [int(part) for part in drawn]


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

    lengths: tuple[int, ...]
    batch_size: int
    seed: int
    iterations: tuple[int, int]
    share: tuple[int, int]
    flip: bool
    scales: tuple[float, float]
    jitter: Jitter | None
    rare: tuple[RareClasses, ...] = ()
    weights: tuple[float, ...] = (1.0,)

    def __iter__(self) -> Iterator[list[Draw]]:
        rank, count = self.share
        local = self.batch_size // count
        whole = training_order(
            self.lengths,
            self.batch_size,
            self.seed,
            *self.iterations,
            self.flip,
            self.scales,
            self.jitter,
            self.rare,
            self.weights,
        )
        for batch in whole:
            yield batch[rank * local : (rank + 1) * local]
