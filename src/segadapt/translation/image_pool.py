"""A memory of translated images, so that a discriminator sees older ones too."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps ``capacity`` images (Shrivastava et al., CVPR 2017; CycleGAN, Sec. 4).

    Once it is full, an image that comes is, with one chance in two, exchanged for one of those
    kept. What happens is a function of the seed and of how many images came before, and all of it
    is in buffers: a resumed run goes on with the same pool.

    Args:
        capacity: images kept; with 0 every image is handed back.
        shape: (channels, height, width) of all of them.
        seed: decides which are exchanged.
    """

    images: Tensor
    seen: Tensor

    def __init__(self, capacity: int, shape: tuple[int, int, int], seed: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.seed = seed
        self.register_buffer("images", torch.zeros(capacity, *shape))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def exchange(self, images: Tensor) -> Tensor:
        """Hand in (N, channels, height, width) and get as many back, some of them older."""
        if self.capacity == 0:
            return images
        given = []
        first = int(self.seen)
        for number, image in enumerate(images, start=first):
            if number < self.capacity:
                self.images[number] = image
                given.append(image)
                continue
            chances = np.random.default_rng((self.seed, number))
            if chances.random() < 0.5:
                given.append(image)
                continue
            place = int(chances.integers(self.capacity))
            given.append(self.images[place].clone())
            self.images[place] = image
        self.seen.fill_(first + len(images))
        return torch.stack(given)
