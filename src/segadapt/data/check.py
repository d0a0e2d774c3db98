"""Reads every file of a domain and says what is wrong or odd about it, all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from segadapt.base.errors import SegadaptError
from segadapt.data.boxes.problems import oddities
from segadapt.data.boxes.read import stored_boxes
from segadapt.data.class_map import UnknownIds
from segadapt.data.domain import Domain, Sample
from segadapt.data.label_files import read_label
from segadapt.data.paths import FilePath
from segadapt.data.proportions import squeezed
from segadapt.losses.segmentation import IGNORE

MISSING = "labels that are missing"
NO_BOXES = "images without boxes, which are taken as showing nothing"


class Problem(NamedTuple):
    """One thing that is wrong, or odd."""

    kind: str
    """What many such things are called: "labels that are missing"."""
    message: str
    """Which file, and what to do."""


TOLD = ""
"""Kind of a warning that says all itself."""


@dataclass
class DomainFindings:
    """What was found in one domain."""

    title: str
    images: int
    labelled: bool
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Number of images by (height, width)."""
    class_shares: dict[str, float] = field(default_factory=dict)
    """Share of the labelled pixels, or of the boxes, by class; empty without labels."""
    ignored_share: float = 0.0
    """Share of all pixels, or boxes, that are ignored."""
    boxes: int | None = None
    """Number of boxes; none where labels are of pixels, or not opened."""
    ignored_boxes: int = 0
    """Of these, crowds and difficult ones."""
    problems: list[Problem] = field(default_factory=list)
    """What a run refuses, or fails of."""
    warnings: list[Problem] = field(default_factory=list)
    """What a run takes as it is, and may be meant so."""

    def problems_by_kind(self) -> dict[str, list[str]]:
        """Messages by kind, the most frequent kind first."""
        return by_kind(self.problems)


def by_kind(problems: Sequence[Problem]) -> dict[str, list[str]]:
    """Messages by kind, the most frequent kind first."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        found.setdefault(problem.kind, []).append(problem.message)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True)
class _One:
    size: tuple[int, int] | None
    counts: np.ndarray | None
    problem: Problem | None
    warnings: tuple[Problem, ...] = ()


def check_domain(domain: Domain, threads: int = 4) -> DomainFindings:
    """Decode every image, and every label of a labelled domain, and count what is there."""
    findings = DomainFindings(domain.title, len(domain), domain.labelled)
    findings.warnings += [Problem(TOLD, sentence) for sentence in domain.warnings]
    total = np.zeros(256, np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for one in pool.map(partial(_check_one, domain), range(len(domain))):
            if one.size is not None:
                findings.sizes[one.size] += 1
            if one.counts is not None:
                total += one.counts
            if one.problem is not None:
                findings.problems.append(one.problem)
            findings.warnings += one.warnings
    odd = squeezed(domain, findings.sizes)
    findings.warnings += [Problem(TOLD, odd)] if odd is not None else []
    names = domain.classes.names
    if domain.classes.boxes and domain.labelled:
        findings.boxes, findings.ignored_boxes = int(total.sum()), int(total[IGNORE])
    if domain.labelled and total.sum():
        labelled = max(int(total[: len(names)].sum()), 1)
        findings.class_shares = {n: int(total[i]) / labelled for i, n in enumerate(names)}
        findings.ignored_share = float(total[255] / total.sum())
        known = domain.class_map
        meant = {*known.ids.values(), *known.colours.values(), *known.names.values()}
        possible = {names[i] for i in meant if i != IGNORE}
        absent = [n for n, share in findings.class_shares.items() if share == 0 and n in possible]
        if absent:
            what = "box" if domain.classes.boxes else "pixel"
            message = f"{domain.title}: no {what} of {', '.join(absent)}"
            findings.warnings.append(Problem(TOLD, message))
    return findings


def _check_one(domain: Domain, index: int) -> _One:
    sample = domain.samples[index]
    size: tuple[int, int] | None = None
    counts = None
    warnings: tuple[Problem, ...] = ()
    kind = "images that cannot be read"
    try:
        image = domain.original(index)
        size = (image.shape[0], image.shape[1])
        if domain.labelled and sample.label is not None:
            kind = "labels that cannot be read" if sample.label.is_file() else MISSING
            if domain.classes.boxes:
                return _check_boxes(sample.label, domain, size)
            label = read_label(sample.label, domain.class_map, sample.first_channel)
            kind = "labels of another size than their image"
            if not domain.classes.whole_image:
                domain.require_fitting(index, size, label.shape)
                warnings = _other_size(label, sample, size)
            counts = np.bincount(label.ravel(), minlength=256)
    except UnknownIds as error:
        return _One(
            size,
            None,
            Problem(
                "labels of classes outside the class map"
                if domain.classes.boxes
                else "labels with ids outside the class map",
                str(error),
            ),
        )
    except SegadaptError as error:
        return _One(size, None, Problem(kind, str(error)))
    return _One(size, counts, None, warnings)


def _check_boxes(label: FilePath, domain: Domain, size: tuple[int, int]) -> _One:
    """Boxes by class, those that are ignored as 255, and what is odd about each."""
    boxes = stored_boxes(label, domain.class_map, size)
    classes = np.where(boxes[:, 5] > 0, IGNORE, boxes[:, 4]).astype(np.int64)
    odd = oddities(boxes, size, domain.classes.names)
    warnings = tuple(Problem(kind, f"{label}: {box}") for kind, box in odd)
    if not len(boxes):
        warnings = (Problem(NO_BOXES, str(label)),)
    return _One(size, np.bincount(classes, minlength=256), None, warnings)


def _other_size(ids: np.ndarray, sample: Sample, size: tuple[int, int]) -> tuple[Problem, ...]:
    """A label a few pixels off, as published ones are in places, is stretched onto its image."""
    if ids.shape == size:
        return ()
    told = Problem(
        "labels of another size than their image, but of its proportions",
        f"{sample.label}: is {ids.shape[0]}x{ids.shape[1]} (height x width), its image is "
        f"{size[0]}x{size[1]}; both are resized",
    )
    return (told,)
