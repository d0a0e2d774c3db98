"""What a model says about one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.base.pictures import label_picture, overlay_picture

NAMED = 3
"""Classes that the short form names."""


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a model says about one image, at the image's own size."""

    label: NDArray[np.uint8]
    """Most probable class per pixel, (height, width)."""
    entropy: NDArray[np.float32]
    """Normalised entropy per pixel in [0, 1], (height, width)."""
    probability: NDArray[np.float32]
    """Class probabilities, (classes, height, width)."""
    image: NDArray[np.uint8]
    """What was looked at, RGB (height, width, 3)."""
    classes: ClassSet
    """Names and colours of the ids in ``label``."""

    def overlay(self, strength: float = 0.55) -> Image.Image:
        """The image tinted with the colours of its classes.

        Args:
            strength: in [0, 1]; 1 is the colours alone.
        """
        return overlay_picture(self.image, self.label, self.classes, strength)

    def save(self, path: str | Path) -> None:
        """Write ``label`` as a PNG file of ids in the classes' colours.

        Raises:
            SegadaptError: its name ends otherwise, or it cannot be written.
        """
        file = Path(path)
        if file.suffix.lower() != ".png":
            raise SegadaptError(f"{file}: ids need a form that keeps them; let it end in .png")
        try:
            label_picture(self.label, self.classes).save(file)
        except OSError as error:
            raise SegadaptError(f"{file}: cannot be written ({error.strerror})") from error

    def __repr__(self) -> str:
        height, width = self.label.shape
        share = np.bincount(self.label.ravel(), minlength=len(self.classes.names)) / self.label.size
        most = np.argsort(-share, kind="stable")[:NAMED]
        told = ", ".join(f"{self.classes.names[i]} {100 * share[i]:.0f} %" for i in most)
        return f"Prediction({height}x{width}: {told})"
