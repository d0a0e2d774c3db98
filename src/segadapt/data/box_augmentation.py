"""SSD's augmentation of images and their boxes (Liu et al., ECCV 2016, Sec. 2.2, 3.6)."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from segadapt.config.training import BoxAugmentation

GREY = (123.0, 117.0, 104.0)
"""What an image is expanded with: the mean of ImageNet."""


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
        The image, of another size, and the boxes that are left, cut off at its sides.
    """
    rows = np.zeros((0, 6), np.float32) if label is None else label
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    drawn = int(np.random.SeedSequence(seed).generate_state(1)[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(drawn)
        changed, boxes = _changed(pixels, torch.from_numpy(rows[:, :4].copy()), settings)
    height, width = changed.shape[-2:]
    found = np.concatenate([boxes.boxes.numpy(), rows[boxes.kept.numpy(), 4:]], axis=1)
    found[:, [0, 2]] = found[:, [0, 2]].clip(0, width)
    found[:, [1, 3]] = found[:, [1, 3]].clip(0, height)
    seen = (found[:, 2] - found[:, 0] >= 1) & (found[:, 3] - found[:, 1] >= 1)
    array = np.ascontiguousarray(changed.numpy().transpose(1, 2, 0))
    return array, None if label is None else found[seen].astype(np.float32)


class _Left:
    """Boxes after a change, and which of the first ones they are."""

    def __init__(self, boxes: Tensor, kept: Tensor) -> None:
        self.boxes, self.kept = boxes, kept


def _changed(image: Tensor, boxes: Tensor, settings: BoxAugmentation) -> tuple[Tensor, _Left]:
    size = image.shape[-2], image.shape[-1]
    whole = torch.tensor([[0.0, 0.0, size[1], size[0]]])
    stands_in = len(boxes) == 0
    sample = {
        "image": tv_tensors.Image(image),
        "boxes": tv_tensors.BoundingBoxes(  # type: ignore[call-arg]
            whole if stands_in else boxes, format="XYXY", canvas_size=size
        ),
        "labels": torch.arange(max(1, len(boxes))),
    }
    if settings.photometric:
        sample = v2.RandomPhotometricDistort()(sample)
    if settings.expand > 0:
        sides = (1.0, settings.largest_expansion)
        sample = v2.RandomZoomOut(fill=list(GREY), side_range=sides, p=settings.expand)(sample)
    if settings.crop:
        sample = v2.RandomIoUCrop()(sample)
        # Boxes whose centre is outside the crop are gone: the transform leaves them without area.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sample = v2.SanitizeBoundingBoxes(labels_getter=lambda x: x["labels"])(sample)
    left, kept = torch.as_tensor(sample["boxes"]), sample["labels"]
    if stands_in:
        left, kept = left[:0], kept[:0]
    return torch.as_tensor(sample["image"]), _Left(left.float(), kept)
