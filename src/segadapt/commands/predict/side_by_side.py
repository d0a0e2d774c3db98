"""Looks at pictures on a CPU: each core takes one from reading to writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from rich.progress import track

from segadapt.commands.predict.ahead import ahead
from segadapt.commands.predict.looks import Frame, Looker, Looks, Seen
from segadapt.commands.predict.pictures import readings
from segadapt.data.paths import DataPath


@contextmanager
def cores_apart() -> Iterator[int]:
    """Has torch compute each operation on one core; yields the number that it had before.

    What is loaded meanwhile, as by ONNX Runtime, does the same.
    """
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)


def look_side_by_side(
    pictures: Mapping[str, DataPath], looker: Looker[Any], frame: Frame, cores: int
) -> Looks:
    """Have pictures looked at, as many at a time as there are cores.

    Cores that share an operation wait for each other, and reading and writing would wait too.
    """
    tasks = (partial(_done, looker, reading) for reading in readings(pictures, frame))
    unread: list[str] = []
    if pictures:
        for problem in track(ahead(tasks, cores), "predict", len(pictures), transient=True):
            unread += [] if problem is None else [problem]
    return Looks(len(pictures), tuple(unread))


def _done(looker: Looker[Any], reading: partial[Seen | str]) -> str | None:
    """Do all of a picture; a sentence where it cannot be read."""
    seen = reading()
    if isinstance(seen, str):
        return seen
    (found,) = looker.look([seen])
    looker.write(seen, found, False)
    return None
