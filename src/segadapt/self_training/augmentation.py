"""Strong augmentation of colours, on the device and on batches (DACS's program)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from segadapt.self_training.chance import BLUR, COLOUR, Chance

REACH = 6
"""Pixels to each side that a blur sees."""
_CHANGES = ("brightness", "contrast", "saturation", "hue")


@dataclass(frozen=True)
class Strength:
    """How strongly colours change, and how often."""

    colour: float = 0.2
    """Largest change of brightness, contrast and saturation (factors 1 - s to 1 + s) and of hue
    (a share of the colour circle)."""
    colour_probability: float = 0.8
    blur_probability: float = 0.5
    sigma: tuple[float, float] = (0.15, 1.15)
    """Of the blur, in pixels: smallest and largest."""


def strongly_augmented(image: Tensor, strength: Strength, chance: Chance, draw: int = 0) -> Tensor:
    """Colours jittered and blurred.

    Whether it happens is one draw for the batch, as in DAFormer's program; how, one for each image.

    Args:
        image: (N, 3, H, W) RGB in [0, 1].
        strength: of the changes.
        chance: of this iteration.
        draw: number of the call within the iteration, so that two of them differ.

    Returns:
        The same shape, in [0, 1].
    """
    streams = (COLOUR + 10 * draw, BLUR + 10 * draw)
    jitters = chance.of_batch(streams[0]).random() < strength.colour_probability
    blurs = chance.of_batch(streams[1]).random() < strength.blur_probability
    if not (jitters or blurs):
        return image
    result = []
    for row, one in enumerate(image):
        if jitters:
            one = _jittered(one, strength.colour, chance.of_image(streams[0], row))
        if blurs:
            sigma = float(chance.of_image(streams[1], row).uniform(*strength.sigma))
            one = _blurred(one, sigma)
        result.append(one)
    return torch.stack(result)


def _jittered(image: Tensor, strength: float, generator: np.random.Generator) -> Tensor:
    amounts = dict(zip(_CHANGES, generator.uniform(-strength, strength, 4).tolist(), strict=True))
    for place in generator.permutation(4).tolist():
        change = _CHANGES[place]
        if change == "hue":
            image = F.adjust_hue(image, amounts[change])
        elif change == "saturation":
            image = F.adjust_saturation(image, 1 + amounts[change])
        elif change == "contrast":
            image = F.adjust_contrast(image, 1 + amounts[change])
        else:
            image = F.adjust_brightness(image, 1 + amounts[change])
    return image


def _blurred(image: Tensor, sigma: float) -> Tensor:
    """In two passes, as far as REACH: what lies beyond has a weight of less than 1e-5."""
    down, across = (2 * min(REACH, side - 1) + 1 for side in image.shape[-2:])
    once = F.gaussian_blur(image, [across, 1], [sigma, sigma])
    return F.gaussian_blur(once, [1, down], [sigma, sigma])
