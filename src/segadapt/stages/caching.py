"""Room for the images that are kept decoded (``cache`` of a domain), told before a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.pixel_cache import SPARE, bytes_kept
from segadapt.data.transforms import UNDECODABLE, image_size
from segadapt.stages.context import StageContext
from segadapt.stages.images import opened_domains

GIB = 2**30


class Room(NamedTuple):
    """Bytes that the images of some domains take, kept decoded."""

    domains: list[str]
    needed: int
    """Of all of them."""
    missing: int
    """Of those that are not there yet."""


def room_for(context: StageContext, stages: Iterable[str]) -> Room:
    """What stages will keep of the domains that ask for it.

    Raises:
        SegadaptError: a domain cannot be opened.
    """
    names: list[str] = []
    entries: dict[Path, int] = {}  # domains may share files
    for name, labelled in opened_domains(context, stages).items():
        config = context.recipe.domains[name]
        if config.cache:
            names.append(name)
            # Labels of a test are compared in the size that its files have.
            domain = context.domain(name, labelled and config.role != "test")
            entries.update(_entries(domain))
    missing = sum(size for place, size in entries.items() if not place.is_file())
    return Room(names, sum(entries.values()), missing)


def no_room(context: StageContext, stages: Sequence[str], others: int) -> SegadaptError | None:
    """Why images cannot be kept, where they cannot.

    Args:
        context: the run.
        stages: those that will run.
        others: bytes that the run writes into its own folder.
    """
    try:
        room = room_for(context, stages)
    except SegadaptError:  # told where domains are opened
        return None
    if not room.domains:
        return None
    folder = context.pixel_cache.folder
    there = next(x for x in (folder, *folder.parents) if x.exists())
    titles = ", ".join(repr(name) for name in room.domains)
    if not (there.is_dir() and os.access(there, os.W_OK)):
        return SegadaptError(
            f"{folder}: images of {titles} cannot be kept here, {there} cannot be written into; "
            "name another folder with --cache-dir, or leave cache out of the domains"
        )
    free, wanted = shutil.disk_usage(there).free, room.missing + SPARE
    if there.stat().st_dev == context.directory.stat().st_dev:
        wanted += others
    if room.missing and free < wanted:
        return SegadaptError(
            f"{folder}: {free / GIB:.1f} GiB are free, keeping the images of {titles} takes "
            f"{room.missing / GIB:.1f} GiB and {(wanted - room.missing) / GIB:.1f} GiB must be "
            "left; free some space, name another disk with --cache-dir, or leave cache out of "
            "the domains"
        )
    return None


def begin_caching(context: StageContext, stages: Iterable[str]) -> str | None:
    """Remove what killed runs left half written, and say what will be kept; None for nothing."""
    room = room_for(context, stages)
    if not room.domains:
        return None
    context.pixel_cache.remove_abandoned()
    return (
        f"images of {', '.join(room.domains)} are kept in {context.pixel_cache.folder}: "
        f"{room.needed / GIB:.2f} GiB, "
        f"of which {room.missing / GIB:.2f} are to be written"
    )


def _entries(domain: Domain) -> Iterator[tuple[Path, int]]:
    """Where each image and opened label is kept, and what it takes on the disk."""
    assert domain.cache is not None
    for sample in domain.samples:
        try:
            height, width = domain.size or image_size(sample.image)
        except (SegadaptError, *UNDECODABLE):  # told where the image is read
            continue
        yield (
            domain.cache.place(domain.image_kind, sample.image),
            bytes_kept([(height, width, 3)]),
        )
        if domain.labelled and sample.label is not None:
            kind = domain.label_kinds[sample.first_channel]
            yield domain.cache.place(kind, sample.label), bytes_kept([(height, width)])
