"""ClassMix: classes of a labelled image laid over an unlabelled one (Olsson et al., WACV 2021)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segadapt.base.transfer import sent
from segadapt.self_training.chance import MIX, Chance

IDS = 256
"""Labels are bytes; 255, ignored pixels, is chosen as a class is, as in the released programs."""


def classes_present(
    label: Tensor, process_mean: Callable[[Tensor], Tensor] | None = None
) -> list[int]:
    """The labels that the batch has, in ascending order, over all processes.

    Whoever asks waits for the device that ``label`` is on, or that the processes share.
    """
    found = torch.bincount(label.flatten().long(), minlength=IDS) > 0
    if process_mean is not None:
        found = process_mean(found.float()) > 0
    return [int(x) for x in found.nonzero()[:, 0].tolist()]


def classes_on_host(label: NDArray[np.uint8]) -> list[int]:
    """The same of labels that are still on the CPU: no device is waited for."""
    found: list[int] = np.flatnonzero(np.bincount(label.ravel(), minlength=IDS)).tolist()
    return found


def mixing_mask(label: Tensor, present: list[int], chance: Chance) -> Tensor:
    """Where the labelled image is kept: M = 1 on half of the classes, rounded up (DACS, Sec. 3.2).

    Args:
        label: (N, H, W) of the labelled images.
        present: labels of the whole batch, as :func:`classes_present` gives them.
        chance: draws the classes of each image without replacement.

    Returns:
        (N, H, W) bool.
    """
    chosen = torch.zeros(len(label), IDS, dtype=torch.bool)
    for row in range(len(label)):
        drawn = chance.of_image(MIX, row).choice(len(present), -(-len(present) // 2), replace=False)
        chosen[row, [present[i] for i in drawn]] = True
    chosen = sent(chosen, label.device)
    return torch.stack([kept[ids.long()] for kept, ids in zip(chosen, label, strict=True)])


def mixed(mask: Tensor, labelled: Tensor, unlabelled: Tensor) -> Tensor:
    """M * source + (1 - M) * target, of images (N, 3, H, W), labels or weights (N, H, W)."""
    return torch.where(mask[:, None] if labelled.ndim == 4 else mask, labelled, unlabelled)
