"""Reads every file of a domain and says what is wrong with it, all problems together."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from segadapt.base.errors import SegadaptError
from segadapt.data.class_map import UnknownIds
from segadapt.data.domain import PROPORTIONS, Domain
from segadapt.data.label_files import read_label
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
    """What a run would stop at."""
    warnings: list[Problem] = field(default_factory=list)
    """What a run goes on with, and somebody should know."""

    def problems_by_kind(self) -> dict[str, list[str]]:
        """Messages by kind, the most frequent kind first."""
        return _by_kind(self.problems)

    def warnings_by_kind(self) -> dict[str, list[str]]:
        """The same of warnings."""
        return _by_kind(self.warnings)


def _by_kind(problems: list[Problem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in problems:
        found.setdefault(problem.kind, []).append(problem.message)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True)
class _One:
    size: tuple[int, int] | None
    counts: np.ndarray | None
    problem: Problem | None
    warning: Problem | None = None


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
            if one.warning is not None:
                findings.warnings.append(one.warning)
    findings.warnings += _misfits_of_size(domain, findings.sizes)
    names = domain.classes.names
    if domain.labelled and total.sum():
        labelled = max(int(total[: len(names)].sum()), 1)
        findings.class_shares = {n: int(total[i]) / labelled for i, n in enumerate(names)}
        findings.ignored_share = float(total[255] / total.sum())
        possible = {names[i] for i in domain.class_map.ids.values() if i != IGNORE}
        absent = [n for n, share in findings.class_shares.items() if share == 0 and n in possible]
        if absent:
            message = (
                f"no pixel of {', '.join(absent)}; of a class that these labels lack, ids: [] in "
                "classes.yaml says so"
            )
            findings.warnings.append(Problem("class sets with absent classes", message))
    return findings


def _check_one(domain: Domain, index: int) -> _One:
    sample = domain.samples[index]
    size: tuple[int, int] | None = None
    counts = None
    warning = None
    kind = "images that cannot be read"
    try:
        image = domain.original(index)
        size = (image.shape[0], image.shape[1])
        if domain.labelled and sample.label is not None:
            kind = "labels that cannot be read" if sample.label.is_file() else MISSING
            label = read_label(sample.label, domain.class_map, sample.first_channel)
            kind = "labels of another size than their image"
            domain.check_proportions(index, size, label)
            if label.shape != size and not domain.classes.whole_image:
                message = (
                    f"{sample.label}: is {label.shape[0]}x{label.shape[1]} (height x width), its "
                    f"image {size[0]}x{size[1]}; both are resized"
                )
                warning = Problem("labels of slightly another size than their image", message)
            counts = np.bincount(label.ravel(), minlength=256)
    except UnknownIds as error:
        return _One(size, None, Problem("labels with ids outside the class map", str(error)))
    except SegadaptError as error:
        return _One(size, None, Problem(kind, str(error)))
    return _One(size, counts, None, warning)


def _misfits_of_size(domain: Domain, sizes: Counter[tuple[int, int]]) -> list[Problem]:
    """Images whose proportions the domain's size changes."""
    if domain.size is None:
        return []
    height, width = domain.size
    squeezed = {
        size: number
        for size, number in sizes.items()
        if not 1 / PROPORTIONS < (size[0] * width) / (size[1] * height) < PROPORTIONS
    }
    if not squeezed:
        return []
    (first, _), *_ = sorted(squeezed.items(), key=lambda x: -x[1])
    fitting = height, 8 * max(1, round(height * first[1] / first[0] / 8))
    message = (
        f"{sum(squeezed.values())} images, first those of {first[0]}x{first[1]} (height x width), "
        f"are pressed into size {list(domain.size)}, which has other proportions; {list(fitting)} "
        "would keep them"
    )
    return [Problem("sizes of other proportions", message)]
