"""Checkpoints side by side on images without labels, as plain typed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Inspected:
    """What one checkpoint says of all images."""

    checkpoint: str
    is_oracle: bool
    scores: Mapping[str, float]
    """Label-free; for all of them more is better."""
    counts: list[int]
    """Pixels, boxes or images by predicted class."""

    @property
    def entropy(self) -> float:
        """Mean normalised entropy, in [0, 1]."""
        return -self.scores["mean_entropy"]

    @property
    def shares(self) -> list[float]:
        """Of the classes in what was predicted; all 0 where nothing was."""
        return shares_of(self.counts)


@dataclass(frozen=True)
class InspectedImage:
    """One image: how far first and last checkpoint agree, and every checkpoint's mean entropy."""

    name: str
    agreement: float
    entropy: list[float]


@dataclass(frozen=True)
class InspectedPicture:
    """One image that is shown, and what for: ``changed``, ``unsure`` or ``sure``."""

    image: InspectedImage
    why: str
    folder: Path
    files: Mapping[str, Any]
    """``image``, ``differ``, and ``predictions`` by checkpoint."""


@dataclass(frozen=True)
class SourceClasses:
    """Counts by class in the labels of ``images`` source images."""

    title: str
    images: int
    counts: list[int]


@dataclass(frozen=True)
class Inspection:
    """The result of one ``inspect`` stage."""

    domain: str
    of: str
    """What has a class: ``pixels``, ``boxes`` or ``images``."""
    classes: list[str]
    colours: list[tuple[int, int, int]]
    source: SourceClasses | None
    checkpoints: list[Inspected]
    agreement: list[list[float]]
    images: list[InspectedImage]
    pictures: list[InspectedPicture]

    @property
    def changed(self) -> float | None:
        """Share in which the last checkpoint differs from the first; None where there is one."""
        return 1 - self.agreement[0][-1] if len(self.checkpoints) > 1 else None


def shares_of(counts: Sequence[int]) -> list[float]:
    """Counts as parts of their sum."""
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]
