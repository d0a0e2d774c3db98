"""Pictures as data URIs: shrunk, compressed and, for entropy, coloured."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# Anchors of a perceptually even dark-to-light scale (inferno), read at equal steps from 0 to 1.
_ANCHORS = (
    (0, 0, 4),
    (31, 12, 72),
    (85, 15, 109),
    (136, 34, 106),
    (186, 54, 85),
    (227, 89, 51),
    (249, 140, 10),
    (249, 201, 50),
    (252, 255, 164),
)


@dataclass(frozen=True)
class Inlined:
    """A picture ready for an ``img`` element."""

    uri: str
    width: int
    height: int


def entropy_table() -> np.ndarray:
    """The colour of every 8-bit entropy value, as a (256, 3) uint8 array."""
    anchors = np.asarray(_ANCHORS, dtype=np.float64)
    places = np.linspace(0.0, 255.0, len(anchors))
    levels = np.arange(256)
    channels = [np.interp(levels, places, anchors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def entropy_gradient() -> str:
    """The same scale as the stops of a CSS linear gradient."""
    last = len(_ANCHORS) - 1
    stops = (f"rgb({r} {g} {b}) {100 * i / last:g}%" for i, (r, g, b) in enumerate(_ANCHORS))
    return ", ".join(stops)


def inline_photo(path: Path | None, width: int) -> Inlined | None:
    """A photograph, at most `width` wide, as JPEG."""
    if path is None:
        return None
    with Image.open(path) as opened:
        picture = _shrink(opened.convert("RGB"), width, Image.Resampling.LANCZOS)
    return _jpeg(picture, quality=78)


def inline_labels(path: Path | None, width: int) -> Inlined | None:
    """A label map in class colours, without loss (colours must stay those of the legend)."""
    if path is None:
        return None
    with Image.open(path) as opened:
        picture = opened.copy() if opened.mode == "P" else opened.convert("RGB")
    picture = _shrink(picture, width, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return _inlined(buffer, "image/png", picture)


def inline_entropy(path: Path | None, width: int) -> Inlined | None:
    """An 8-bit entropy map drawn with the entropy scale."""
    if path is None:
        return None
    with Image.open(path) as opened:
        gray = _shrink(opened.convert("L"), width, Image.Resampling.BILINEAR)
    return _jpeg(Image.fromarray(entropy_table()[np.asarray(gray)]), quality=80)


def mean_level(path: Path) -> float:
    """Mean of an 8-bit map, in [0, 1]."""
    with Image.open(path) as opened:
        return float(np.asarray(opened.convert("L")).mean() / 255)


def _shrink(picture: Image.Image, width: int, how: Image.Resampling) -> Image.Image:
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), how)


def _jpeg(picture: Image.Image, quality: int) -> Inlined:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
    return _inlined(buffer, "image/jpeg", picture)


def _inlined(buffer: io.BytesIO, kind: str, picture: Image.Image) -> Inlined:
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Inlined(f"data:{kind};base64,{text}", picture.width, picture.height)
