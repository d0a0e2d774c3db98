"""From image and label files to arrays, and from arrays to network input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segadapt.config import InputFormat
from segadapt.errors import SegadaptError

# Channel means of ImageNet as the Caffe networks, and all of the published programs, use them.
BGR_MEAN = (104.00698793, 116.66876762, 122.67891434)
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)


def read_image(path: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Decode an image as RGB, (height, width, 3), resized to ``size`` (bicubic, as published).

    Raises:
        SegadaptError: the file is missing or cannot be decoded.
    """
    image = _open(path, "image").convert("RGB")
    if size is not None and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.array(image)


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image file that was decoded before; reads its header only."""
    with Image.open(path) as image:
        return image.height, image.width


def read_ids(path: Path) -> NDArray[np.integer]:
    """Decode a label file as stored ids, (height, width); palette files give their indices.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or has several channels.
    """
    image = _open(path, "label")
    ids = np.array(image)
    if ids.ndim != 2:
        raise SegadaptError(
            f"{path}: a label file must have one channel of class ids, this one has "
            f"{ids.shape[2]} (mode {image.mode}); convert colours to ids first"
        )
    return ids.astype(np.uint8) if ids.dtype == np.bool_ else ids


def resize_label(label: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Resize ids (height, width) by nearest neighbour, as published."""
    if size is None or label.shape == size:
        return label
    resized = Image.fromarray(label).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(resized)


def _open(path: Path, kind: str) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except FileNotFoundError as error:
        raise SegadaptError(f"{path}: the {kind} file is missing") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SegadaptError(
            f"{path}: the {kind} file cannot be decoded ({error}); replace or remove it"
        ) from error
    return image


def normalise(image: Tensor, input_format: InputFormat) -> Tensor:
    """Network input from decoded images, on their device.

    Args:
        image: uint8 RGB, (N, H, W, 3).
        input_format: which channel order and scale the network's starting weights expect.

    Returns:
        (N, 3, H, W) float32 in channels-last memory order.
    """
    planes = image.permute(0, 3, 1, 2)  # no copy: channels-last order comes for free
    if input_format == "bgr_mean":
        mean = torch.tensor(BGR_MEAN, dtype=torch.float32, device=image.device).view(1, 3, 1, 1)
        return planes.flip(1).float() - mean
    mean = torch.tensor(RGB_MEAN, dtype=torch.float32, device=image.device).view(1, 3, 1, 1)
    std = torch.tensor(RGB_STD, dtype=torch.float32, device=image.device).view(1, 3, 1, 1)
    return (planes.float() / 255.0 - mean) / std
