"""A domain: named images, how they are sized, and what their labels mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from segadapt.base.classes import ClassSet
from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.data.archive import leads_outside
from segadapt.data.boxes.array import resized_boxes
from segadapt.data.boxes.read import read_boxes
from segadapt.data.class_map import ClassMap
from segadapt.data.label_files import read_ids, read_label
from segadapt.data.paths import FilePath
from segadapt.data.pixel_cache import Picture, PixelCache, kind_of
from segadapt.data.transforms import image_size, read_image, read_sized, resize_label

PROPORTIONS = 1.1
"""Largest factor between the proportions of an image and of its label."""


@dataclass(frozen=True)
class Sample:
    """One image: its name, unique in the domain, its file, and where its label would be."""

    name: str
    image: FilePath
    label: FilePath | None = None
    first_channel: bool = False
    """The label file has several channels, and the ids are in the first (in RGB order)."""
    original: FilePath | None = None
    """What ``image`` is a translation of; its label goes with that."""
    domain_index: FilePath | None = None
    """Picture of how hard each pixel is, beside pseudo-labels that leave the hard ones out."""

    def __post_init__(self) -> None:
        # Labels and translations are written under it, below a stage's folder.
        if leads_outside(self.name):
            raise SegadaptError(
                f"{self.image}: an image cannot be named {self.name!r}, which leads outside of the "
                "folder that its labels would be written in; rename it"
            )


@dataclass(frozen=True)
class Domain:
    """Images of one dataset and split.

    ``labelled`` is false where labels must not be opened: reading one is then an error.
    """

    title: str
    samples: tuple[Sample, ...]
    class_map: ClassMap
    size: tuple[int, int] | None
    labelled: bool
    bands: tuple[int, int, int] | None = None
    """Which bands of its TIFF files are red, green and blue, from 1."""
    predicted: bool = False
    """Its labels were predicted, in the size that images are resized to."""
    warnings: tuple[str, ...] = ()
    """What was left out, and what is odd about it, in sentences."""
    cache: PixelCache | None = field(default=None, compare=False)
    """Keeps what is decoded, in the domain's size; None where that is not wanted."""

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Images of each domain that is in it: it is one alone."""
        return (len(self),)

    @property
    def weights(self) -> tuple[float, ...]:
        """How often images of each are drawn."""
        return (1.0,)

    def part(self, index: int) -> tuple[Domain, int]:
        """The domain that image ``index`` is from, and its number there."""
        return self, index

    @property
    def classes(self) -> ClassSet:
        """The class set of labels and scores."""
        return self.class_map.classes

    def image(self, index: int) -> NDArray[np.uint8]:
        """RGB (height, width, 3), resized to the domain's size."""
        return self.sized(index).pixels

    def original(self, index: int) -> NDArray[np.uint8]:
        """RGB (height, width, 3) in the file's own size, for those who need several sizes."""
        return read_image(self.samples[index].image, None, self.bands)

    def sized(self, index: int) -> Picture:
        """RGB (height, width, 3), resized to the domain's size, and the size that the file has."""

        def read() -> Picture:
            return read_sized(path, self.size, self.bands)

        path = self.samples[index].image
        return read() if self.cache is None else self.cache.picture(self.image_kind, path, read)

    def sized_label(self, index: int) -> Picture:
        """The same of train ids (height, width).

        Raises:
            SegadaptError: as :meth:`label` does.
        """

        def read() -> Picture:
            ids: NDArray[np.uint8] = self.label(index)
            return Picture(resize_label(ids, self.size), ids.shape)

        sample = self.samples[index]
        # Predicted ones are small, and a run's own. Those that are not to be opened are not looked
        # for either.
        if self.cache is None or self.predicted or not self.labelled or sample.label is None:
            return read()
        kind = self.label_kinds[sample.first_channel]
        return self.cache.picture(kind, sample.label, read)

    @cached_property
    def image_kind(self) -> str:
        """What is kept of images: another folder for other settings."""
        return kind_of("image", self.size, self.bands, PIL.__version__)

    @cached_property
    def label_kinds(self) -> tuple[str, str]:
        """The same of labels, and of those whose ids are in the first channel."""
        ids, colours = sorted(self.class_map.ids.items()), sorted(self.class_map.colours.items())
        of = ("label", self.size, ids, colours, PIL.__version__)
        return kind_of(*of, False), kind_of(*of, True)

    def label(self, index: int) -> NDArray[Any]:
        """Train ids (height, width) at the label file's own resolution; (1, 1) of a whole image.

        Where the classes are of boxes, float32 (M, 6): left, top, right, bottom in pixels of the
        image's file, upright, train class id, and 1 where the box is ignored.

        Raises:
            SegadaptError: labels of this domain are not to be opened, the file is unreadable, or
                holds an id outside the class map.
        """
        sample = self.samples[index]
        if not self.labelled or sample.label is None:
            raise SegadaptError(f"{self.title}: labels of this domain are never opened here")
        if self.classes.boxes:
            return self._boxes(sample, sample.label)
        ids = read_label(sample.label, self.class_map, sample.first_channel)
        # Pseudo-labels are pictures as large as their image, also where all of it has one.
        return ids[:1, :1] if self.classes.whole_image else ids

    def _boxes(self, sample: Sample, label: FilePath) -> NDArray[np.float32]:
        size = image_size(sample.image)
        if sample.original is None or self.predicted:
            return read_boxes(label, self.class_map, size)
        # They go with what the image is a translation of, which may have another size.
        own = image_size(sample.original)
        return resized_boxes(read_boxes(label, self.class_map, own), own, size)

    def domain_index(self, index: int) -> NDArray[np.uint8] | None:
        """How hard each pixel is, (height, width), 255 for one; None where nothing says so."""
        path = self.samples[index].domain_index
        return None if path is None else read_ids(path).astype(np.uint8)

    def check_proportions(self, index: int, own: tuple[int, ...], label: tuple[int, ...]) -> None:
        """Raise SegadaptError where a label cannot belong to its image; boxes are not looked at.

        Args:
            index: of the sample.
            own: (height, width) of the image's file.
            label: the same of the label's. It must be the image's; where the domain resizes, it may
                differ in scale, as published data sets' do in places, but not in proportions.
                Pseudo-labels have the size that images are resized to.
        """
        if self.classes.boxes or self.classes.whole_image:
            return
        if self.predicted and label == self.size:
            return
        sample = self.samples[index]
        if sample.original is not None:  # its label goes with that, which may have another size
            own = image_size(sample.original)
        self.require_fitting(index, own, label)

    def require_fitting(self, index: int, own: tuple[int, ...], label: tuple[int, ...]) -> None:
        """The same, where the (height, width) that the image file has is known already."""
        if self.classes.boxes or label == own:
            return
        sample = self.samples[index]
        ratio = (label[0] * own[1]) / (label[1] * own[0])
        if self.size is None or not 1 / PROPORTIONS < ratio < PROPORTIONS:
            raise SegadaptError(
                f"{sample.label}: is {label[0]}x{label[1]} (height x width) but its "
                f"image {sample.image} is {own[0]}x{own[1]}; they must be equal"
            )

    def subset(self, names: Sequence[str]) -> Domain:
        """The images called ``names``, in that order.

        Raises:
            SegadaptError: the domain has no image of such a name.
        """
        by_name = {sample.name: sample for sample in self.samples}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise SegadaptError(
                f"{self.title}: {counted(len(missing), 'image')} of an earlier stage not there, "
                f"first {missing[0]}; restore them, or start a new run"
            )
        return replace(self, samples=tuple(by_name[name] for name in names))

    def unlabelled(self) -> Domain:
        """The same images with labels out of reach."""
        samples = tuple(replace(sample, label=None) for sample in self.samples)
        return replace(self, samples=samples, labelled=False)
