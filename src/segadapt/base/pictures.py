"""Pictures of labels and entropies, for reports and predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.classes import ClassSet


def label_picture(label: NDArray[np.uint8], classes: ClassSet) -> Image.Image:
    """Palette image of train ids (height, width) in class colours; 255 is black.

    The stored values are the ids themselves, so the picture is also a label file.
    """
    picture = Image.fromarray(label)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(classes.colours)] = classes.colours
    picture.putpalette(palette.tobytes())
    return picture


def overlay_picture(
    image: NDArray[np.uint8], label: NDArray[np.uint8], classes: ClassSet, strength: float = 0.55
) -> Image.Image:
    """RGB ``image`` (height, width, 3) tinted with the class colours of ``label``."""
    plain, colours = Image.fromarray(image), label_picture(label, classes).convert("RGB")
    mixed = Image.blend(plain, colours, strength)
    if label.max(initial=0) == 255:
        mixed.paste(plain, mask=Image.fromarray((label == 255).view(np.uint8) * 255))
    return mixed


def entropy_picture(entropy: NDArray[np.floating]) -> Image.Image:
    """Grey picture of an entropy (or another) map (height, width) in [0, 1]; white is 1."""
    return Image.fromarray((np.clip(entropy, 0, 1) * 255).round().astype(np.uint8))


def save_jpeg(image: NDArray[np.uint8], path: Path) -> None:
    """Write RGB (height, width, 3) as JPEG."""
    Image.fromarray(image).save(path, quality=88)
