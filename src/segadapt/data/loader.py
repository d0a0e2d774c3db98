"""Batches: decoding, resizing and label mapping in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from segadapt.base.errors import SegadaptError
from segadapt.config import Jitter
from segadapt.config.training import BoxAugmentation
from segadapt.data.box_images import BoxImages
from segadapt.data.crops import Crops
from segadapt.data.decoders import loader_of, told
from segadapt.data.domain import Domain
from segadapt.data.handover import handed_over
from segadapt.data.mixture import Mixture
from segadapt.data.order import Draw, TrainingOrder
from segadapt.data.pixel_cache import Picture
from segadapt.data.rare_classes import RareClasses
from segadapt.data.transforms import (
    crop_window,
    moved,
    resize_image,
    resize_label,
    scaled_size,
    seen_at,
)
from segadapt.losses.boxes import filled_up

Margins = tuple[float, float, float, float]
"""Shares of an image's height (top, bottom) and width (left, right)."""


class RawBatch(NamedTuple):
    """Decoded images (N, H, W, 3) uint8 and train ids (N, H, W) uint8, or None without labels."""

    image: Tensor
    label: Tensor | None
    domain_index: Tensor | None = None
    """How hard each pixel is, (N, H, W) uint8, where a ``pixel_split`` stage found it."""
    inside: Tensor | None = None
    """1 where a pixel is not in a margin, (N, H, W) uint8, where there are margins."""


def training_batches(
    domain: Domain | Mixture,
    batch_size: int,
    seed: int,
    iterations: tuple[int, int],
    share: tuple[int, int],
    flip: bool,
    workers: int,
    scales: tuple[float, float] = (1.0, 1.0),
    crop: Crops | None = None,
    jitter: Jitter | None = None,
    rare: Sequence[RareClasses] = (),
    margins: Margins | None = None,
    box_augmentation: BoxAugmentation | None = None,
) -> Iterator[RawBatch]:
    """Batches for iterations ``iterations[0]`` to ``iterations[1]`` - 1.

    Args:
        domain: labels are read where it is labelled.
        batch_size: images per iteration over all processes.
        seed: decides order, mirroring, factors, crops and moves.
        iterations: first and one past the last.
        share: (rank, number of processes); the latter divides ``batch_size``.
        flip: mirror images (and labels) at random.
        workers: worker processes; 0 decodes in this one.
        scales: smallest and largest factor on the size of a batch's images.
        crop: random crops; whole images where not given.
        jitter: how far images are resized and moved within their frames, each on its own.
        rare: draws images by class, one for each domain.
        margins: shares of an image's height and width, top, bottom, left, right, that are told.
        box_augmentation: what is done to images with boxes.

    Raises:
        SegadaptError: an image or label cannot be used.
    """
    order = TrainingOrder(
        domain.lengths,
        batch_size,
        seed,
        iterations,
        share,
        flip,
        scales,
        jitter,
        tuple(rare),
        domain.weights,
    )
    boxes = domain.classes.boxes
    images = (
        BoxImages(domain, box_augmentation) if boxes else _TrainingImages(domain, crop, margins)
    )
    loader = loader_of(
        images,
        workers,
        batch_sampler=order,
        collate_fn=_stacked_boxes if boxes else _stacked,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    for batch in told(loader):
        yield _or_raise(batch)


class InferenceBatch(NamedTuple):
    """Images of one size for inference: their indices, pixels, and labels at full resolution."""

    indices: list[int]
    image: Tensor
    labels: list[Tensor] | None
    scaled: tuple[Tensor, ...] = ()
    """The same at further scales, each made from the files' own pixels."""

    def alone(self, row: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One image (1, H, W, 3), and the same at further scales."""
        return self.image[row : row + 1], tuple(x[row : row + 1] for x in self.scaled)


def inference_batches(
    domain: Domain,
    batch_size: int,
    share: tuple[int, int],
    workers: int,
    on_error: Callable[[SegadaptError], None] | None = None,
    scales: tuple[float, ...] = (),
    without: Container[int] = (),
) -> Iterator[InferenceBatch]:
    """Every image of this process's share once; images of different sizes go into own batches.

    Args:
        domain: labels are read where it is labelled.
        batch_size: most images at once.
        share: (rank, number of processes); images are dealt out in turn.
        workers: worker processes; 0 decodes in this one.
        on_error: is told of images or labels that cannot be used, which are left out.
        scales: factors at which images are wanted besides.
        without: numbers of images that are done.

    Raises:
        SegadaptError: an image or label cannot be used, and nobody wants to be told.
    """
    left = [index for index in range(len(domain)) if index not in without]
    mine = left[share[0] :: share[1]]
    loader = loader_of(
        _InferenceImages(domain, mine, scales),
        workers,
        batch_size=batch_size,
        collate_fn=_listed,
        prefetch_factor=2 if workers else None,
    )
    for items in told(loader):
        by_size: dict[tuple[int, ...], list[Any]] = {}
        for item in items:
            if on_error is not None and isinstance(item, SegadaptError):
                on_error(item)
                continue
            index, seen, label = _or_raise(item)
            by_size.setdefault(seen[0].shape, []).append((index, seen, label))
        for group in by_size.values():
            yield InferenceBatch(
                indices=[index for index, _, _ in group],
                image=torch.stack([seen[0] for _, seen, _ in group]),
                labels=[label for _, _, label in group] if domain.labelled else None,
                scaled=tuple(
                    torch.stack([seen[k] for _, seen, _ in group])
                    for k in range(1, 1 + len(scales))
                ),
            )


class Done(NamedTuple):
    """Numbers of the images that a job is done with."""

    indices: list[int]


def mapped(
    job: Callable[[int], object],
    indices: list[int],
    workers: int,
    on_error: Callable[[SegadaptError], None],
) -> Iterator[Done]:
    """Do ``job`` for every number in worker processes, and say which are done.

    ``on_error`` is told of the SegadaptErrors that the job raises.
    """
    loader = loader_of(_Jobs(job, indices), workers, batch_size=None)
    for index in told(loader):
        if isinstance(index, SegadaptError):
            on_error(index)
        else:
            yield Done([index])


@dataclass
class _Jobs(Dataset[Any]):
    job: Callable[[int], object]
    indices: list[int]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Any:
        try:
            self.job(self.indices[position])
        except SegadaptError as error:
            return error
        except OSError as error:  # the disk is full, say; its traceback would be a worker's
            return SegadaptError(
                f"{error.filename or 'a result'}: cannot be written ({error.strerror or error}); "
                "mend that and give the same command again, it goes on with what is missing"
            )
        return self.indices[position]


@dataclass
class _TrainingImages(Dataset[Any]):
    domain: Domain | Mixture
    crop: Crops | None = None
    margins: Margins | None = None

    def __getitem__(self, draw: Draw) -> Any:
        # A worker's exception would reach the user wrapped in a traceback, so it is handed over
        # as a value and raised in the main process.
        domain, number = self.domain.part(draw.image)
        try:
            image, own = _image(domain, number, draw.scale)
            label, index = None, None
            if domain.labelled:
                label, label_own = _label(domain, number, draw.scale)
                domain.check_proportions(number, own, label_own)
                index = domain.domain_index(number)
        except SegadaptError as error:
            return error
        size = None if domain.classes.whole_image else image.shape[:2]
        maps = [None if x is None else resize_label(x, size) for x in (label, index)]
        inside = None if self.margins is None else _inside(image.shape[:2], self.margins)
        arrays = [image, *maps, inside]
        framed = len(arrays) if size is not None else 1  # one label for an image has no place in it
        if self.crop is not None:
            try:
                window = _window(image.shape[:2], maps[0], self.crop, draw)
            except SegadaptError as error:
                return SegadaptError(f"{domain.samples[number].image}: {error}")
            arrays[:framed] = [None if x is None else x[window] for x in arrays[:framed]]
        if draw.move is not None:
            arrays[:framed] = [None if x is None else moved(x, *draw.move) for x in arrays[:framed]]
        if draw.mirrored:
            arrays = [None if x is None else x[:, ::-1] for x in arrays]
        return tuple(
            None if x is None else torch.from_numpy(np.ascontiguousarray(x)) for x in arrays
        )


def _image(domain: Domain, number: int, scale: float) -> Picture:
    if scale == 1.0:
        return domain.sized(number)
    # In one step from the file's own pixels: a factor above 1 shows more of them, and does not
    # blow up what was made small before.
    original = domain.original(number)
    own = original.shape[:2]
    return Picture(resize_image(original, scaled_size(domain.size or own, scale)), own)


def _label(domain: Domain, number: int, scale: float) -> Picture:
    if scale == 1.0 and not domain.classes.whole_image:
        return domain.sized_label(number)
    label = domain.label(number)
    return Picture(label, label.shape)


@dataclass
class _InferenceImages(Dataset[Any]):
    domain: Domain
    indices: list[int]
    scales: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Any:
        index = self.indices[position]
        try:
            if self.scales:
                original = self.domain.original(index)
                own, seen = original.shape[:2], seen_at(original, self.domain.size, self.scales)
            else:
                image, own = self.domain.sized(index)
                seen = [image]
            label = None
            if self.domain.labelled:
                label = self.domain.label(index)
                self.domain.check_proportions(index, own, label.shape)
        except SegadaptError as error:
            return error
        tensors = [torch.from_numpy(x) for x in seen]
        return index, tensors, None if label is None else torch.from_numpy(label)


def _window(
    size: tuple[int, ...], label: NDArray[np.uint8] | None, crop: Crops, draw: Draw
) -> tuple[slice, slice]:
    """Where an image of (height, width) ``size`` is cropped: see :class:`Crops`."""
    varied: tuple[slice, slice] | None = None
    for place in crop.places(draw):
        window = crop_window(size, crop.size, place)
        if label is None:
            return window
        if crop.is_varied(label[window]):
            varied = window
            if crop.shows(label[window], draw.wanted):
                return window
    return varied or window


def _inside(size: tuple[int, ...], margins: Margins) -> NDArray[np.uint8]:
    height, width = size
    top, bottom, left, right = margins
    found = np.zeros((height, width), np.uint8)
    found[
        round(top * height) : height - round(bottom * height),
        round(left * width) : width - round(right * width),
    ] = 1
    return found


def _listed(items: list[Any]) -> Any:
    return handed_over(list(items))


def _stacked(items: list[Any]) -> Any:
    return handed_over(_stack(items))


def _stacked_boxes(items: list[Any]) -> Any:
    return handed_over(_stack_boxes(items))


def _unstackable(items: list[Any]) -> SegadaptError | None:
    for item in items:
        if isinstance(item, SegadaptError):
            return item
    shapes = {tuple(image.shape[:2]) for image, *_ in items}
    if len(shapes) > 1:
        return SegadaptError(
            f"a batch holds images of sizes {sorted(shapes)} (height, width); give the domain one "
            "size, or train with batch_size=1"
        )
    return None


def _stack_boxes(items: list[Any]) -> RawBatch | SegadaptError:
    wrong = _unstackable(items)
    if wrong is not None:
        return wrong
    images, labels = zip(*items, strict=True)
    known = labels[0] is not None
    return RawBatch(torch.stack(images), filled_up(list(labels)) if known else None)


def _stack(items: list[Any]) -> RawBatch | SegadaptError:
    wrong = _unstackable(items)
    if wrong is not None:
        return wrong
    images, *others = zip(*items, strict=True)
    return RawBatch(
        torch.stack(images), *(None if x[0] is None else torch.stack(x) for x in others)
    )


def _or_raise(value: Any) -> Any:
    if isinstance(value, SegadaptError):
        raise value
    return value
