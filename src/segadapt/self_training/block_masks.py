"""Masks of square blocks (MIC; Hoyer et al., CVPR 2023, Sec. 3.2), and of a ViT's patches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segadapt.self_training.chance import MASK, Chance


def block_mask(
    number: int, size: tuple[int, int], block: int, ratio: float, chance: Chance
) -> Tensor:
    """Which pixels stay (MIC, Eq. 5 and 6): whole blocks, each with probability 1 - ``ratio``.

    Args:
        number: of images, N.
        size: (height, width) of the images.
        block: side of a block in pixels; as in the released program there are round(side / block)
            blocks along a side, so that they are stretched where it is no multiple.
        ratio: probability that a block is masked.
        chance: draws each image's own.

    Returns:
        (N, H, W) bool on the CPU, True where a pixel stays.
    """
    rows, columns = (max(1, round(side / block)) for side in size)
    kept = torch.stack(
        [
            torch.from_numpy(chance.of_image(MASK, row).random((rows, columns)) > ratio)
            for row in range(number)
        ]
    )
    # Nearest neighbours: row i of the image lies in block floor(i * rows / height).
    down = torch.arange(size[0]) * rows // size[0]
    across = torch.arange(size[1]) * columns // size[1]
    return kept[:, down][:, :, across]


def token_mask(number: int, grid: tuple[int, int], ratio: float, chance: Chance) -> Tensor:
    """Which patches of a ViT are hidden, each with probability ``ratio`` (VFM-UDA's program).

    Args:
        number: of images, N.
        grid: patches of an image, (down, across).
        ratio: probability that a patch is hidden.
        chance: draws each image's own.

    Returns:
        (N, down, across) bool on the CPU, True where a patch is hidden.
    """
    drawn = [chance.of_image(MASK, row).random(grid) < ratio for row in range(number)]
    return torch.from_numpy(np.stack(drawn))
