"""Domains: what a recipe says about a data set."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from pydantic import model_validator

from segadapt.base.section import Section
from segadapt.config.values import Positive, Size


class DomainConfig(Section):
    """A dataset, a split and a class map.

    ``role`` decides what may be read: labels of a ``target`` are opened by an oracle stage only,
    and those of a ``test`` domain by evaluation only.
    """

    dataset: str
    """Name of a reader; `segadapt list datasets` shows them."""
    split: str
    """A part of the data set, such as ``train``."""
    role: Literal["source", "target", "test"]
    """See above."""
    root: str | None = None
    """Folder, relative to the data root; the dataset's usual name where not given."""
    drawn_by: str | None = None
    """Name of the ``draw`` stage that makes this domain, in place of ``root``."""
    classes: str | None = None
    """Class map of the dataset; its own classes where not given."""
    size: Size | None = None
    """Images are resized to this (height, width); null keeps each one's own size."""
    bands: tuple[Positive, Positive, Positive] | None = None
    """Which bands of TIFF images are red, green and blue, counted from 1; files of red, green and
    blue need none."""
    list: str | None = None
    """Text file, relative to the data root, with one image per line: its name, or the end of its
    path as published lists have it. Only these are used, in that order."""
    limit: Positive | None = None
    """Use the first so many images only."""
    cache: bool = False
    """Keep images and opened labels on disk in this size, so that later epochs, stages and runs
    read pixels in place of decoding files. Changes no number."""

    @model_validator(mode="after")
    def _cache_of_files(self) -> DomainConfig:
        if self.cache and self.drawn_by is not None:
            raise ValueError(
                "cache: is for files that are there before a run, and these are drawn in it; "
                "leave it out"
            )
        return self

    @property
    def title(self) -> str:
        """What reports call it: its folder's name, where the data are somebody's own."""
        if self.dataset != "folder":
            return f"{self.dataset} {self.split}"
        folder = PurePath(self.root or ".").name
        return " ".join(x for x in (folder or "images", self.split.strip("./")) if x)
