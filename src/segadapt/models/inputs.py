"""From pictures to what networks take: channel order, mean and scale."""

from __future__ import annotations

import torch
from torch import Tensor

from segadapt.config import InputFormat

# Channel means of ImageNet as the Caffe networks, and all of the published programs, use them.
BGR_MEAN = (104.00698793, 116.66876762, 122.67891434)
# The same rounded, in the order of RGB: what torchvision's SSD-300 on VGG-16 subtracts.
RGB_MEAN_255 = (123.0, 117.0, 104.0)
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)


def normalise(image: Tensor, input_format: InputFormat) -> Tensor:
    """A segmenter's input from decoded images, on their device.

    Args:
        image: uint8 RGB, (N, H, W, 3).
        input_format: which channel order and scale the network's starting weights expect.

    Returns:
        (N, 3, H, W) float32 in channels-last memory order.
    """
    # No copy: channels-last order comes for free.
    return from_planes(image.permute(0, 3, 1, 2), input_format)


def from_planes(planes: Tensor, input_format: InputFormat) -> Tensor:
    """The same from RGB (N, 3, H, W) in 0..255, integers or floats; gradients pass."""
    if input_format == "bgr_mean":
        return planes.flip(1).float() - _per_channel(BGR_MEAN, planes)
    if input_format == "rgb_mean":
        return planes.float() - _per_channel(RGB_MEAN_255, planes)
    if input_format == "rgb_signed":
        return planes.float() / 127.5 - 1
    rgb = planes.float() / 255.0
    if input_format == "rgb":
        return rgb
    return (rgb - _per_channel(RGB_MEAN, planes)) / _per_channel(RGB_STD, planes)


def to_rgb(image: Tensor, input_format: InputFormat) -> Tensor:
    """The pictures behind a segmenter's input: (N, 3, H, W) RGB in [0, 1]."""
    if input_format == "bgr_mean":
        return ((image + _per_channel(BGR_MEAN, image)) / 255.0).flip(1)
    if input_format == "rgb_mean":
        return (image + _per_channel(RGB_MEAN_255, image)) / 255.0
    if input_format == "rgb_signed":
        return (image + 1) / 2
    if input_format == "rgb":
        return image
    return image * _per_channel(RGB_STD, image) + _per_channel(RGB_MEAN, image)


def _per_channel(values: tuple[float, float, float], like: Tensor) -> Tensor:
    # Made on the device: numbers sent there from a list are waited for.
    planes = [torch.full((), value, dtype=torch.float32, device=like.device) for value in values]
    return torch.stack(planes).view(1, 3, 1, 1)


def signed(image: Tensor) -> Tensor:
    """A generator's input: uint8 RGB (N, H, W, 3) -> (N, 3, H, W) in [-1, 1], float32."""
    return image.permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1


def from_signed(image: Tensor) -> Tensor:
    """A generator's output as a picture: (N, 3, H, W) in [-1, 1] -> uint8 RGB (N, H, W, 3)."""
    bytes_ = ((image.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return bytes_.permute(0, 2, 3, 1)
