"""Reads every file of a domain and says what is wrong with it, all problems together."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain, Sample, map_ids
from segadapt.data.paths import FilePath
from segadapt.data.transforms import read_ids, read_image
from segadapt.losses.segmentation import IGNORE

MISSING = "labels that are missing"


class Problem(NamedTuple):
    """One thing that is wrong."""

    kind: str
    """What many such things are called: "labels that are missing"."""
    message: str
    """Which file, and what to do."""


@dataclass
class DomainFindings:
    """What was found in one domain."""

    title: str
    images: int
    labelled: bool
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Number of images by (height, width)."""
    class_shares: dict[str, float] = field(default_factory=dict)
    """Share of the labelled pixels by class; empty without labels."""
    ignored_share: float = 0.0
    """Share of all pixels that are ignored."""
    problems: list[Problem] = field(default_factory=list)

    def problems_by_kind(self) -> dict[str, list[str]]:
        """Messages by kind, the most frequent kind first."""
        found: dict[str, list[str]] = {}
        for problem in self.problems:
            found.setdefault(problem.kind, []).append(problem.message)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True)
class _One:
    size: tuple[int, int] | None
    counts: np.ndarray | None
    problem: Problem | None


def check_domain(domain: Domain, threads: int = 4) -> DomainFindings:
    """Decode every image, and every label of a labelled domain, and count what is there."""
    findings = DomainFindings(domain.title, len(domain), domain.labelled)
    total = np.zeros(256, np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for one in pool.map(partial(_check_one, domain), range(len(domain))):
            if one.size is not None:
                findings.sizes[one.size] += 1
            if one.counts is not None:
                total += one.counts
            if one.problem is not None:
                findings.problems.append(one.problem)
    names = domain.classes.names
    if domain.labelled and total.sum():
        labelled = max(int(total[: len(names)].sum()), 1)
        findings.class_shares = {n: int(total[i]) / labelled for i, n in enumerate(names)}
        findings.ignored_share = float(total[255] / total.sum())
        possible = {names[i] for i in domain.class_map.ids.values() if i != IGNORE}
        absent = [n for n, share in findings.class_shares.items() if share == 0 and n in possible]
        if absent:
            message = f"{domain.title}: no pixel of {', '.join(absent)}"
            findings.problems.append(Problem("class sets with absent classes", message))
    return findings


def _check_one(domain: Domain, index: int) -> _One:
    sample = domain.samples[index]
    size: tuple[int, int] | None = None
    counts = None
    kind = "images that cannot be read"
    try:
        image = read_image(sample.image, None)
        size = (image.shape[0], image.shape[1])
        if domain.labelled and sample.label is not None:
            kind = "labels that cannot be read" if sample.label.is_file() else MISSING
            ids = read_ids(sample.label, sample.first_channel)
            kind = "labels of another size than their image"
            if not domain.classes.whole_image:
                _require_size(ids, sample, sample.label, size)
            kind = "labels with ids outside the class map"
            label = map_ids(ids, domain.class_map, sample.label)
            counts = np.bincount(label.ravel(), minlength=256)
    except SegadaptError as error:
        return _One(size, None, Problem(kind, str(error)))
    return _One(size, counts, None)


def _require_size(ids: np.ndarray, sample: Sample, path: FilePath, size: tuple[int, int]) -> None:
    if ids.shape != size:
        raise SegadaptError(
            f"{path}: is {ids.shape[0]}x{ids.shape[1]} (height x width) but its image "
            f"{sample.image} is {size[0]}x{size[1]}; they must be equal"
        )
