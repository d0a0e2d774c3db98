"""Drawing a class first, and then an image that shows it (DAFormer, CVPR 2022, Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segadapt.base.errors import SegadaptError


def class_probabilities(pixels: Sequence[float], temperature: float) -> NDArray[np.float64]:
    """P(c) = softmax((1 - f_c) / T) over the classes, f_c their shares of all pixels (Eq. 5, 6).

    Args:
        pixels: labelled pixels of each class over all images.
        temperature: T; small ones favour rare classes, large ones draw all alike.
    """
    counts = np.asarray(pixels, np.float64)
    exponent = (1 - counts / counts.sum()) / temperature
    weight = np.exp(exponent - exponent.max())
    found: NDArray[np.float64] = weight / weight.sum()
    return found


@dataclass(frozen=True)
class RareClasses:
    """What :func:`segadapt.data.order.training_order` draws from."""

    classes: tuple[int, ...]
    """Those that some image shows enough of."""
    probabilities: tuple[float, ...]
    """Of these classes."""
    images: tuple[tuple[int, ...], ...]
    """Numbers of the images that show enough of each."""

    def draw(self, generator: np.random.Generator) -> tuple[int, int]:
        """A class, and the number of an image that shows it."""
        place = int(generator.choice(len(self.classes), p=self.probabilities))
        holding = self.images[place]
        return self.classes[place], holding[int(generator.integers(len(holding)))]


def rare_classes(counts: NDArray[np.integer], temperature: float, least_pixels: int) -> RareClasses:
    """From the labelled pixels of every image by class.

    Args:
        counts: (images, classes).
        temperature: see :func:`class_probabilities`.
        least_pixels: an image shows a class that has more pixels than these.

    Raises:
        SegadaptError: no image shows enough of any class.
    """
    showing = counts > least_pixels
    classes = [int(c) for c in np.flatnonzero(showing.any(axis=0))]
    if not classes:
        raise SegadaptError(
            f"rare_classes.least_pixels: no image has more than {least_pixels} pixels of any "
            "class; make it smaller"
        )
    probabilities = class_probabilities(counts.sum(axis=0)[classes].tolist(), temperature)
    images = tuple(tuple(int(i) for i in np.flatnonzero(showing[:, c])) for c in classes)
    return RareClasses(tuple(classes), tuple(probabilities.tolist()), images)
