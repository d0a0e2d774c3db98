"""TIFF files of more, or other, bands than red, green and blue: what they hold, and three of it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from segadapt.base.errors import SegadaptError, first_line
from segadapt.data.paths import FilePath

WIDTH, HEIGHT, BITS, SAMPLES, KIND = 256, 257, 258, 277, 339
"""Numbers of the tags."""
FLOATS = 3
"""Value of KIND."""
ORIENTATION = 274
"""The same in EXIF data: how the picture is to be turned."""
LYING = (5, 6, 7, 8)
"""Its values that change height for width."""
SUFFIXES = (".tif", ".tiff")


class Layout(NamedTuple):
    """What the header says of the first page, upright."""

    height: int
    width: int
    bands: int
    bits: int
    floats: bool

    def __str__(self) -> str:
        kind = "floating-point numbers" if self.floats else "bits"
        return f"a TIFF of {self.bands} bands of {self.bits} {kind}"


def layout(path: FilePath) -> Layout | None:
    """The layout of a TIFF file, also of one that Pillow cannot decode; None of any other file."""
    if not path.name.lower().endswith(SUFFIXES):
        return None
    try:
        with path.open("rb") if isinstance(path, Path) else path.open() as file:
            return _layout(file)
    except Exception:  # of a damaged header: it may be anything
        return None


def _layout(file: IO[bytes]) -> Layout:
    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    bits, kind = tags.get(BITS, (1,)), tags.get(KIND, (1,))
    sides = int(tags[HEIGHT]), int(tags[WIDTH])
    height, width = sides[::-1] if tags.get(ORIENTATION) in LYING else sides
    return Layout(height, width, int(tags.get(SAMPLES, 1)), int(bits[0]), FLOATS in kind)


def read_bands(path: FilePath, bands: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Three bands of a file as RGB (height, width, 3); 16 bits are scaled to 8.

    Args:
        path: a TIFF file of one image, its bands side by side or one after the other.
        bands: numbers, from 1, of what is taken for red, green and blue.

    Raises:
        SegadaptError: the file cannot be read, lacks a band, or does not say what is white.
    """
    try:
        import tifffile
    except ImportError as error:
        raise SegadaptError(
            f"{path}: bands of a TIFF file are read with tifffile, which is not installed; install "
            "the extra: pip install 'segadapt[tiff]'"
        ) from error
    try:
        with path.open("rb") if isinstance(path, Path) else path.open() as file:
            series = tifffile.TiffFile(file).series[0]
            axes, pixels = series.axes, np.asarray(series.asarray())
    except FileNotFoundError as error:
        raise SegadaptError(f"{path}: the image file is missing") from error
    except Exception as error:  # of a damaged file, or one that is no TIFF: it may be anything
        raise SegadaptError(
            f"{path}: its bands cannot be read ({first_line(error)}); they are those of a TIFF file"
        ) from error
    others = [i for i, axis in enumerate(axes) if axis not in "YX"]
    if len(axes) == 2:
        pixels = pixels[..., None]
    elif len(others) == 1:
        pixels = np.moveaxis(pixels, others[0], -1)
    else:
        raise SegadaptError(f"{path}: holds several pages of bands; save one image in each file")
    if max(bands) > pixels.shape[-1]:
        raise SegadaptError(
            f"{path}: has {pixels.shape[-1]} bands, and bands {list(bands)} of the domain asks for "
            f"number {max(bands)}"
        )
    chosen = pixels[..., [band - 1 for band in bands]]
    if chosen.dtype == np.uint16:
        chosen = (chosen / 257).round().astype(np.uint8)  # 65535 is white
    if chosen.dtype != np.uint8:
        raise SegadaptError(
            f"{path}: holds {chosen.dtype} numbers, and does not say which of them is white; "
            "convert it to 8 or 16 bits"
        )
    return np.ascontiguousarray(chosen)
