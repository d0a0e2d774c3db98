"""From image and label files to arrays."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from segadapt.base.errors import SegadaptError
from segadapt.data.paths import FilePath
from segadapt.data.pixel_cache import Picture
from segadapt.data.tiff import LYING, ORIENTATION, SAMPLES, layout, read_bands
from segadapt.losses.segmentation import IGNORE

ONE_PICTURE = ("MPO",)
"""Formats whose further frames are previews, or for the other eye."""
AS_RGB = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"} | {
    "I",
    "F",
    "I;16",
    "I;16L",
    "I;16B",
    "I;16N",
}
"""Modes of which Pillow knows what is red, green and blue, or grey."""
ADVICE_ON_BANDS = (
    "save it as RGB, or name the three bands that are red, green and blue (bands: [3, 2, 1] of the "
    "domain)"
)
# What Pillow raises for files that are no images, cut off or damaged.
UNDECODABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def read_image(
    path: FilePath, size: tuple[int, int] | None, bands: tuple[int, int, int] | None = None
) -> NDArray[np.uint8]:
    """Decode an image as RGB, (height, width, 3), resized to ``size`` (bicubic, as published).

    It is turned upright as its EXIF data say, and 16 bits of grey are scaled to 8. ``bands`` picks
    three of a TIFF file's, counted from 1.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or does not say what its numbers are.
    """
    return read_sized(path, size, bands).pixels


def read_sized(
    path: FilePath, size: tuple[int, int] | None, bands: tuple[int, int, int] | None = None
) -> Picture:
    """The same, and the (height, width) that the file has."""
    if bands is not None:
        original = read_bands(path, bands)
        return Picture(resize_image(original, size), original.shape[:2])
    image = as_rgb(opened(path, "image"), str(path))
    own = (image.height, image.width)
    if size is not None and size != own:  # before it is an array: that would be two copies of all
        image = image.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return Picture(np.array(image), own)


def as_rgb(image: Image.Image, called: str) -> Image.Image:
    """An image upright, in RGB of 8 bits, itself where it is; ``called`` is its name in messages.

    Raises:
        SegadaptError: its numbers have no white that it says, as floats and 32 bits have not.
    """
    pages = getattr(image, "n_frames", 1)
    if pages > 1 and image.format not in ONE_PICTURE:
        raise SegadaptError(
            f"{called}: holds {pages} pages or frames, of which only the first would be seen; save "
            "each as a file of its own"
        )
    bands = len(image.getbands())
    stored = max(bands, image.tag_v2.get(SAMPLES, 1)) if image.format == "TIFF" else bands  # type: ignore[attr-defined]
    if image.mode not in AS_RGB or stored > bands:  # Pillow leaves out what it does not know
        raise SegadaptError(
            f"{called}: has {stored} channels that are not red, green, blue and transparency; "
            f"{ADVICE_ON_BANDS}"
        )
    try:
        turned = image.getexif().get(ORIENTATION, 1) != 1
        upright = ImageOps.exif_transpose(image) if turned else image
    except UNDECODABLE as error:  # of damaged EXIF data
        raise SegadaptError(
            f"{called}: its EXIF data cannot be read ({error}); save it without them"
        ) from error
    if upright.mode.startswith("I;16"):
        grey = np.asarray(upright, dtype=np.float64) / 257  # 65535 is white
        return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    if upright.mode in ("I", "F"):
        kind = "floats" if upright.mode == "F" else "whole numbers of 32 bits"
        raise SegadaptError(
            f"{called}: holds {kind}, and does not say which of them is white; convert it to 8 or "
            "16 bits"
        )
    return upright if upright.mode == "RGB" else upright.convert("RGB")  # which copies


def image_size(path: FilePath) -> tuple[int, int]:
    """(height, width) of an image file, upright; reads its header only.

    Raises:
        SegadaptError: the file is missing or cannot be decoded.
    """
    found = layout(path)
    if found is not None:  # also of what Pillow cannot decode
        return found.height, found.width
    with opened(path, "image", decode=False) as image:
        turned = image.getexif().get(ORIENTATION) in LYING
        return (image.width, image.height) if turned else (image.height, image.width)


def resize_image(image: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Resize RGB (height, width, 3) as :func:`read_image` does; None leaves it as it is."""
    if size is None or image.shape[:2] == size:
        return image
    resized = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.array(resized)


def seen_at(
    original: NDArray[np.uint8], size: tuple[int, int] | None, scales: tuple[float, ...]
) -> list[NDArray[np.uint8]]:
    """An image as networks look at it: in its size, then times each of ``scales``.

    Args:
        original: RGB (height, width, 3) in the file's own size, of which each is made in one step.
        size: (height, width) that counts as scale 1; the image's own where None.
        scales: factors, to the nearest pixel.
    """
    frame = size or original.shape[:2]
    sizes = [tuple(max(1, round(scale * side)) for side in frame) for scale in scales]
    return [resize_image(original, x) for x in (frame, *sizes)]  # type: ignore[arg-type]


def scaled_size(size: tuple[int, ...], scale: float) -> tuple[int, int]:
    """(height, width) times ``scale``, to the nearest multiple of eight, the networks' stride."""
    height, width = (max(8, 8 * round(side * scale / 8)) for side in size)
    return height, width


def crop_window(
    size: tuple[int, ...], crop: tuple[int, int], place: tuple[float, float]
) -> tuple[slice, slice]:
    """Rows and columns of a crop of (height, width) ``crop`` in an image of ``size``.

    Args:
        size: (height, width) of the image.
        crop: the same of the crop.
        place: of its corner, from 0 (first possible row, column) up to, not reaching, 1.

    Raises:
        SegadaptError: the image is smaller than the crop.
    """
    if size[0] < crop[0] or size[1] < crop[1]:
        raise SegadaptError(
            f"is {size[0]}x{size[1]} (height x width), smaller than the crop {crop[0]}x{crop[1]}; "
            "make the crop smaller, or give the domain a size"
        )
    top, left = (int(p * (s - c + 1)) for p, s, c in zip(place, size, crop, strict=True))
    return slice(top, top + crop[0]), slice(left, left + crop[1])


def moved(pixels: NDArray[np.uint8], scale: float, shift: tuple[float, float]) -> NDArray[np.uint8]:
    """Resize an image (height, width, 3) or ids (height, width) about the middle, and move it.

    Args:
        pixels: the image, then interpolated bilinearly and black where something comes in from
            outside, or ids, then of the nearest neighbour and there ``IGNORE``.
        scale: factor; the frame stays as large as it is.
        shift: how far down and right, as shares of height and width.
    """
    height, width = pixels.shape[:2]
    down, right = shift[0] * height, shift[1] * width
    # Where each pixel comes from: x, then y, each as (by x, by y, offset).
    x = (1 / scale, 0.0, width / 2 - (width / 2 + right) / scale)
    y = (0.0, 1 / scale, height / 2 - (height / 2 + down) / scale)
    ids = pixels.ndim == 2
    result = Image.fromarray(pixels).transform(
        (width, height),
        Image.Transform.AFFINE,
        (*x, *y),
        Image.Resampling.NEAREST if ids else Image.Resampling.BILINEAR,
        fillcolor=IGNORE if ids else (0, 0, 0),
    )
    return np.array(result)


def resize_label(label: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Resize ids (height, width) by nearest neighbour, as published."""
    if size is None or label.shape == size:
        return label
    resized = Image.fromarray(label).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(resized)


def opened(path: FilePath, kind: str, decode: bool = True) -> ImageFile.ImageFile:
    """A picture file, opened by Pillow and decoded; ``kind`` is what messages call it.

    Raises:
        SegadaptError: it is missing, is no file, or cannot be decoded.
    """
    try:
        image = Image.open(_source(path))
    except FileNotFoundError as error:
        raise SegadaptError(f"{path}: the {kind} file is missing") from error
    except UNDECODABLE as error:
        raise _undecodable(path, kind, error) from error
    return decoded(image, path, kind) if decode else image


def _source(path: FilePath) -> Path | IO[bytes]:
    if not isinstance(path, Path):
        return path.open()
    if path.exists() and not path.is_file():  # a pipe would be waited for without end
        raise SegadaptError(f"{path}: is no regular file; replace or remove it")
    return path


def decoded(image: ImageFile.ImageFile, path: FilePath, kind: str) -> ImageFile.ImageFile:
    """The same with its pixels.

    Raises:
        SegadaptError: it is cut off or damaged.
    """
    try:
        image.load()
    except UNDECODABLE as error:
        raise _undecodable(path, kind, error) from error
    return image


def _undecodable(path: FilePath, kind: str, error: Exception) -> SegadaptError:
    found = layout(path)
    if isinstance(error, UnidentifiedImageError) and found is not None:
        return SegadaptError(f"{path}: is {found}; {ADVICE_ON_BANDS}")
    if isinstance(error, Image.DecompressionBombError):
        return SegadaptError(
            f"{path}: the {kind} file says it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} "
            "pixels, the most that are decoded; cut it into smaller ones"
        )
    return SegadaptError(
        f"{path}: the {kind} file cannot be decoded ({error}); replace it, and a run goes on where "
        "it was, or remove it before the next run"
    )
