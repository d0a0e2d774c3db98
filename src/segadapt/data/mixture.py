"""Several domains that a training sees as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from segadapt.base.classes import ClassSet
from segadapt.data.domain import Domain, Sample


@dataclass(frozen=True)
class Mixture:
    """Domains of the same classes, their images numbered through, each image in its own's size."""

    domains: tuple[Domain, ...]
    weights: tuple[float, ...]
    """How often images of each are drawn; only their relations matter."""

    def __len__(self) -> int:
        return sum(self.lengths)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Images of each domain."""
        return tuple(len(domain) for domain in self.domains)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Of all domains, one after the other."""
        return tuple(sample for domain in self.domains for sample in domain.samples)

    @property
    def classes(self) -> ClassSet:
        """That of each domain."""
        return self.domains[0].classes

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) that the first domain's images are resized to, where all have a size."""
        sizes = [domain.size for domain in self.domains]
        return None if None in sizes else sizes[0]

    def part(self, index: int) -> tuple[Domain, int]:
        """The domain that image ``index`` is from, and its number there."""
        first = 0
        for domain, past in zip(self.domains, accumulate(self.lengths), strict=True):
            if index < past:
                return domain, index - first
            first = past
        raise IndexError(index)


def mixture(parts: Sequence[tuple[Domain, float]]) -> Mixture:
    """Domains with their weights."""
    domains, weights = zip(*parts, strict=True)
    return Mixture(tuple(domains), tuple(weights))
