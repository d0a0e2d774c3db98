"""How often each class stands in the labels of the source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segadapt.data.domain import Domain
from segadapt.engine.fabric import Processes
from segadapt.stages.inspect.chosen import evenly

MOST = 500
"""Images whose labels are counted; shares of more would be the same to the digits shown."""


class SourceClasses(NamedTuple):
    """Counts of a labelled source."""

    images: int
    """How many were counted."""
    counts: list[int]
    """Pixels, or boxes, by class."""


def source_classes(domain: Domain, processes: Processes) -> SourceClasses:
    """Count the labels of evenly spaced images, on every process its part."""
    chosen = evenly(len(domain), MOST)
    number = len(domain.classes.names)
    own = np.zeros(number, np.int64)
    for index in chosen[processes.rank :: processes.count]:
        label = domain.label(index)
        if domain.classes.boxes:  # (M, 6): the class, and 1 where ignored, come last
            label = label[label[:, 5] == 0, 4].astype(np.int64)
        own += np.bincount(label.ravel(), minlength=256)[:number]
    total = np.sum(processes.gather(own.tolist()), axis=0)
    return SourceClasses(len(chosen), total.tolist())
