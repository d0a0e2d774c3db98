"""Images that are scored, and whose labels were trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Stage
from segadapt.data.domain import Domain
from segadapt.data.paths import FilePath
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists


class Overlap(NamedTuple):
    """Images that were seen with their labels in training and are scored."""

    images: int
    first: str


def trained_on_scored(context: StageContext, stage: Stage) -> dict[str, Overlap]:
    """By stage whose checkpoint an evaluation scores; those that have none of it are left out.

    Images are the same where their files are, or have the same content.
    """
    scored: str = stage.domain  # type: ignore[attr-defined]
    if not exists(context, scored):
        return {}
    found = {}
    domains: dict[str, Overlap | None] = {}
    for reference in stage.references():
        if "checkpoint" not in reference.kinds:
            continue
        trained = reference.name.partition(".")[0]
        parts = []
        for name in sorted(_labels_of(context, trained)):
            if name not in domains:
                domains[name] = _overlap(context, scored, name)
            parts.append(domains[name])
        overlaps = [part for part in parts if part is not None]
        if overlaps:
            found[trained] = Overlap(sum(x.images for x in overlaps), overlaps[0].first)
    return found


def _labels_of(context: StageContext, name: str) -> set[str]:
    """Domains whose own labels took part in what a stage leaves, through all stages before it."""
    found: set[str] = set()
    for reference in context.recipe.stages[name].references():
        behind = context.labels_behind(reference.name) if reference.labelled else reference.name
        if behind in context.recipe.domains:
            if reference.labelled:
                found.add(behind)
        else:
            found |= _labels_of(context, behind.partition(".")[0])
    return found


def _overlap(context: StageContext, scored: str, trained: str) -> Overlap | None:
    if not exists(context, trained):
        return None
    try:
        ours, theirs = (context.domain(x, labelled=False) for x in (scored, trained))
    except SegadaptError:  # it is told where the data are opened
        return None
    known = {_place(sample.image) for sample in theirs.samples}
    sizes = {_size(sample.image) for sample in theirs.samples}
    contents: set[str] | None = None
    same = []
    for sample in ours.samples:
        if _place(sample.image) in known:
            same.append(sample.name)
        elif isinstance(sample.image, Path) and _size(sample.image) in sizes:
            contents = contents or set(_contents(theirs, ours))
            if _digest(sample.image) in contents:
                same.append(sample.name)
    return Overlap(len(same), same[0]) if same else None


def _contents(theirs: Domain, ours: Domain) -> Iterator[str]:
    """Digests of the files that are as long as one of the others."""
    sizes = {_size(sample.image) for sample in ours.samples}
    for sample in theirs.samples:
        if isinstance(sample.image, Path) and _size(sample.image) in sizes:
            yield _digest(sample.image)


def _place(path: FilePath) -> str:
    return str(path.resolve()) if isinstance(path, Path) else str(path)


def _size(path: FilePath) -> int:
    return path.stat().st_size if isinstance(path, Path) else path.size()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
