"""SSD's augmentation of images and their boxes (Liu et al., ECCV 2016, Sec. 2.2, 3.6)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms import v2

from segadapt.config.training import BoxAugmentation
from segadapt.data.box_crops import crop, expansion

GREY = (123, 117, 104)
"""What an image is expanded with: the mean of ImageNet."""
LEAST_SIDE = 1
"""Pixels of what is left of a box; of less it is gone."""


def augmented(
    image: NDArray[np.uint8],
    label: NDArray[np.float32] | None,
    settings: BoxAugmentation,
    seed: tuple[int, ...],
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """Colours changed, expanded, and cropped, each by chance, as torchvision's SSD training does.

    Args:
        image: RGB (height, width, 3).
        label: boxes (M, 6) in its pixels. Of an image without (also None, of one whose boxes are
            not to be opened) a crop is drawn as if the only box were the whole image.
        settings: what is done.
        seed: decides all of it.

    Returns:
        The image, of another size, and the boxes whose centres are left, cut off at its sides.
    """
    generator = np.random.default_rng(seed)
    boxes = np.zeros((0, 6), np.float32) if label is None else label.astype(np.float32)
    if settings.photometric:
        image = _recoloured(image, int(generator.integers(2**31)))
    if generator.random() < settings.expand:
        size, (top, left) = expansion(image.shape, settings.largest_expansion, generator)
        canvas = np.empty((*size, 3), np.uint8)
        canvas[:] = np.tile(np.array(GREY, np.uint8), (size[1], 1))  # whole rows: 30 times faster
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
        image, boxes = canvas, boxes + np.array([left, top, left, top, 0, 0], np.float32)
    if settings.crop:
        image, boxes = _cropped(image, boxes, generator)
    return image, None if label is None else boxes


def _cropped(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], generator: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    height, width = image.shape[:2]
    whole = np.array([[0, 0, width, height]], np.float32)
    part = crop(image.shape, boxes[:, :4] if len(boxes) else whole, generator)
    if part is None:
        return image, boxes
    left, top, right, bottom = part
    centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
    inside = ((centres > (left, top)) & (centres < (right, bottom))).all(axis=1)
    found = boxes[inside] - np.array([left, top, left, top, 0, 0], np.float32)
    found[:, [0, 2]] = found[:, [0, 2]].clip(0, right - left)
    found[:, [1, 3]] = found[:, [1, 3]].clip(0, bottom - top)
    seen = (found[:, 2:4] - found[:, :2] >= LEAST_SIDE).all(axis=1)
    return image[top:bottom, left:right], found[seen]


def _recoloured(image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Brightness, contrast, saturation, hue and order of channels (torchvision's transform)."""
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        changed: torch.Tensor = v2.RandomPhotometricDistort()(pixels)
    return np.ascontiguousarray(changed.numpy().transpose(1, 2, 0))
