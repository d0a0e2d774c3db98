"""What one call has measured, as it is kept in ``history/``: numbers, and where they are from."""

from __future__ import annotations

import statistics
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat

Unit = Literal["step", "image", "image a core"]
"""What seconds are counted for."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Kept):
    """One benchmark."""

    name: str
    sentence: str
    ours: str
    rival: str
    unit: Unit
    rounds: tuple[tuple[PositiveFloat, PositiveFloat], ...] = ()
    """Seconds for one thing, ours and the rival's, by round."""
    failure: str | None = None
    """Why there are no rounds."""
    left_out: bool = False
    """It is not for this machine, which is no mistake."""

    @property
    def told(self) -> str:
        """Why there are no rounds, with what that means."""
        return f"{'left out' if self.left_out else 'failed'}: {self.failure}"

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as fast ours is, by round: a round's two turns share what else goes on."""
        return tuple(rival / ours for ours, rival in self.rounds)

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest ratio."""
        return min(self.ratios), max(self.ratios)

    @property
    def seconds(self) -> tuple[float, float]:
        """Medians of ours and of the rival."""
        ours, rival = zip(*self.rounds, strict=True)
        return statistics.median(ours), statistics.median(rival)


class Machine(_Kept):
    """What it was measured on."""

    cpu: str
    cores: int
    threads: int
    """Of torch."""
    gpu: str | None = None

    @property
    def name(self) -> str:
        """Its parts in words."""
        cpu = f"{self.cpu}, {self.cores} cores"
        return cpu if self.gpu is None else f"{self.gpu}, {cpu}"


class Commit(_Kept):
    """What was measured."""

    name: str
    """Its first nine digits."""
    date: str
    """When it was made, ISO 8601."""
    changed: bool
    """Files differed from it."""

    @property
    def shown(self) -> str:
        """Its name, with a plus where files differed."""
        return f"{self.name}+" if self.changed else self.name


class Record(_Kept):
    """All benchmarks of one call."""

    date: str
    """ISO 8601, UTC."""
    form: str
    """``whole`` or ``quick``: their images differ in size, so their numbers stand apart."""
    scale: float
    """Factor on the sizes of images that the rows name."""
    trunk: str
    """Of the networks in training steps."""
    note: str
    """What else there is to know."""
    load: float
    """Processes that wanted to compute in the minute before; an idle machine has 0."""
    machine: Machine
    commit: Commit
    versions: dict[str, str]
    rows: tuple[Row, ...]
