"""Pictures on their way to a network: decoded, in the sizes it looks at, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segadapt.base.errors import SegadaptError
from segadapt.data.transforms import seen_at

R = TypeVar("R")


@dataclass(frozen=True)
class Seen:
    """A picture, or a frame of a film, as a network looks at it."""

    number: int
    """Among the pictures that were given, or of the film, from 0."""
    name: str
    """Of what is written."""
    file_name: str
    """Of the file with its suffix, from the folder that was given."""
    original: NDArray[np.uint8]
    """RGB (height, width, 3)."""
    views: tuple[NDArray[np.uint8], ...]
    """In the size that is looked at, then at further scales."""


class Looker(Protocol[R]):
    """What a segmenter or a detector does with pictures."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Folders and files that it writes."""

    @property
    def film_folder(self) -> str | None:
        """Folder of films with what was found in them; None where none are wanted."""

    def look(self, batch: Sequence[Seen]) -> list[R]:
        """What it finds in pictures of the same size."""

    def write(self, seen: Seen, found: R, film: bool) -> None:
        """Write the files of a picture, or those of a frame that no film can hold."""

    def picture(self, seen: Seen, found: R) -> Image.Image:
        """What was found, over the picture."""

    def finish(self) -> None:
        """Write what is of all pictures."""


@dataclass(frozen=True)
class Looks:
    """How far a loop came."""

    number: int
    """Pictures or frames that there were, with those that could not be read."""
    unread: tuple[str, ...]
    """A sentence for each of these."""


@dataclass(frozen=True)
class Frame:
    """The size that pictures are looked at in."""

    size: tuple[int, int] | None
    """(height, width); each picture's own where None."""
    scales: tuple[float, ...]
    """Further ones."""

    def seen(self, number: int, name: str, file_name: str, original: NDArray[np.uint8]) -> Seen:
        """A picture in that size and at those scales."""
        views = tuple(seen_at(original, self.size, self.scales))
        return Seen(number, name, file_name, original, views)


def batches(pictures: Iterable[Seen], most: int) -> Iterator[list[Seen]]:
    """Pictures that follow each other and are looked at in the same sizes, at most so many."""
    batch: list[Seen] = []
    for picture in pictures:
        if batch and (len(batch) == most or _sizes(batch[0]) != _sizes(picture)):
            yield batch
            batch = []
        batch.append(picture)
    if batch:
        yield batch


def stacked(batch: Sequence[Seen]) -> list[Tensor]:
    """uint8 RGB (N, H, W, 3) of the pictures, for each view."""
    return [
        torch.from_numpy(np.stack(views)) for views in zip(*(x.views for x in batch), strict=True)
    ]


def saved(picture: Image.Image, file: Path, **options: Any) -> None:
    """Write a picture, with the folders it is in.

    Raises:
        SegadaptError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file, **options)
    except OSError as error:
        raise unwritable(file, error) from error


def unwritable(file: Path, error: OSError) -> SegadaptError:
    """What is said where a result has no place."""
    return SegadaptError(f"{file}: cannot be written ({error}); what was written before stays")


def _sizes(picture: Seen) -> list[tuple[int, ...]]:
    return [x.shape for x in picture.views]
