"""From a network's scores to ids, entropies and probabilities at the size of the pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segadapt.losses.entropy import entropy_map
from segadapt.tasks.segmentation import upsample

STRIP = 64
"""Rows of an image whose probabilities are worked out at a time."""


@dataclass(frozen=True)
class Readout:
    """What scores say of one picture, at (height, width) of one's choice."""

    label: NDArray[np.uint8]
    """Most probable class, (height, width)."""
    entropy: NDArray[np.float32] | None
    """Normalised entropy in [0, 1], (height, width); None where not asked for."""
    probability: NDArray[np.float32] | None
    """(classes, height, width); None where not asked for."""


@torch.inference_mode()
def read_out(
    logits: Tensor, shown: tuple[int, int], entropy: bool = True, probability: bool = True
) -> Readout:
    """Read the scores of one picture.

    Ids alone cost least: the largest score is the largest probability.

    Args:
        logits: (1, C, h, w).
        shown: (height, width) of what comes out.
        entropy: whether it is wanted.
        probability: whether it is wanted.
    """
    scores = upsample(logits, shown)
    if not entropy and not probability:
        label = scores.max(dim=1).indices[0].to(torch.uint8)
        return Readout(label.cpu().numpy(), None, None)
    label = torch.empty(shown, dtype=torch.uint8)
    disorder = torch.empty(shown)
    # In strips, each written over its scores: all classes of all pixels are held once.
    for top in range(0, shown[0], STRIP):
        rows = slice(top, top + STRIP)
        strip = scores[:, :, rows].softmax(dim=1)
        scores[:, :, rows] = strip
        label[rows] = strip[0].argmax(dim=0).to(torch.uint8).cpu()
        if entropy:
            disorder[rows] = entropy_map(strip)[0].cpu()
    return Readout(
        label.numpy(),
        disorder.numpy() if entropy else None,
        scores[0].cpu().numpy() if probability else None,
    )
