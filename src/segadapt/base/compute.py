"""What a run computes on, and in which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

Precision = Literal["32-true", "bf16-mixed"]
PRECISIONS: tuple[Precision, ...] = ("32-true", "bf16-mixed")


@dataclass(frozen=True)
class Compute:
    """One value from the command line down to the processes."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1`` (one of several) or ``mps``."""
    devices: int = 1
    """Number of processes, one device each."""
    precision: Precision = "32-true"


class ComputeSettings(TypedDict, total=False):
    """The same as keywords of public functions; :class:`Compute` has the defaults."""

    device: str
    devices: int
    precision: Precision
