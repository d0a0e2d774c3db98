"""From image and label files to arrays."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from segadapt.base.errors import SegadaptError
from segadapt.data.paths import FilePath
from segadapt.losses.segmentation import IGNORE

ORIENTATION = 0x0112
"""Tag of EXIF data that says how a picture is to be turned."""
LYING = (5, 6, 7, 8)
"""Its values that change height for width."""
# What Pillow raises for files that are no images, cut off or damaged.
UNDECODABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def read_image(path: FilePath, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Decode an image as RGB, (height, width, 3), resized to ``size`` (bicubic, as published).

    It is turned upright as its EXIF data say, and 16 bits of grey are scaled to 8.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or does not say what its numbers are.
    """
    return resize_image(np.array(as_rgb(_open(path, "image"), str(path))), size)


def as_rgb(image: Image.Image, called: str) -> Image.Image:
    """An image upright, in RGB of 8 bits; ``called`` is what messages call it.

    Raises:
        SegadaptError: its numbers have no white that it says, as floats and 32 bits have not.
    """
    try:
        upright = ImageOps.exif_transpose(image)
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
    return upright.convert("RGB")


def image_size(path: FilePath) -> tuple[int, int]:
    """(height, width) of an image file, upright; reads its header only."""
    with Image.open(_source(path)) as image:
        # Of TIFF files Pillow has done it.
        turned = image.format != "TIFF" and image.getexif().get(ORIENTATION) in LYING
        return (image.width, image.height) if turned else (image.height, image.width)


def read_ids(path: FilePath, first_channel: bool = False) -> NDArray[np.integer]:
    """Decode a label file as stored ids, (height, width); palette files give their indices.

    Args:
        path: the file.
        first_channel: the file is a PNG of several channels, with 8 or 16 bits each, and the ids
            are in the first in RGB order.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or has another number of channels.
    """
    if first_channel:
        return _read_first_channel(path)
    image = _open(path, "label")
    ids = np.array(image)
    if ids.ndim != 2:
        raise SegadaptError(
            f"{path}: a label file must have one channel of class ids, this one has "
            f"{ids.shape[2]} (mode {image.mode}); convert colours to ids first"
        )
    return ids.astype(np.uint8) if ids.dtype == np.bool_ else ids


def _read_first_channel(path: FilePath) -> NDArray[np.integer]:
    upper = _open(path, "label", decoded=False)
    if len(upper.getbands()) < 2:
        raise SegadaptError(
            f"{path}: has one channel; this data set's label files have several, with the class "
            "ids in the first"
        )
    lower = _open(path, "label", decoded=False)
    # Of 16 bits, most significant byte first, Pillow keeps the first byte, which is zero in
    # labels. Told that the bytes come the other way round, it keeps the second.
    sixteen = [tile for tile in lower.tile if str(tile.args).endswith(";16B")]
    lower.tile = [tile._replace(args=f"{str(tile.args)[:-1]}L") for tile in sixteen]
    ids: NDArray[np.uint8] = np.array(_decoded(upper, path, "label"))[..., 0]
    if not sixteen:
        return ids
    both: NDArray[np.uint16] = ids.astype(np.uint16) * 256
    both += np.array(_decoded(lower, path, "label"))[..., 0]
    return both


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


def _open(path: FilePath, kind: str, decoded: bool = True) -> ImageFile.ImageFile:
    try:
        image = Image.open(_source(path))
    except FileNotFoundError as error:
        raise SegadaptError(f"{path}: the {kind} file is missing") from error
    except UNDECODABLE as error:
        raise _undecodable(path, kind, error) from error
    return _decoded(image, path, kind) if decoded else image


def _source(path: FilePath) -> Path | IO[bytes]:
    return path if isinstance(path, Path) else path.open()


def _decoded(image: ImageFile.ImageFile, path: FilePath, kind: str) -> ImageFile.ImageFile:
    try:
        image.load()
    except UNDECODABLE as error:
        raise _undecodable(path, kind, error) from error
    return image


def _undecodable(path: FilePath, kind: str, error: Exception) -> SegadaptError:
    return SegadaptError(
        f"{path}: the {kind} file cannot be decoded ({error}); replace or remove it"
    )
