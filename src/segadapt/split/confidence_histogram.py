"""Streaming histograms of values in [0, 1], one per class: quantiles in bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

BINS = 10_000
"""Quantiles are exact to half a bin, 0.00005."""


class ConfidenceHistogram:
    """Counts of values in [0, 1] by class and bin.

    Counts are integers, so that sums over processes, and over images in any order, are equal.
    """

    def __init__(self, num_classes: int, bins: int = BINS) -> None:
        self.counts = torch.zeros(num_classes, bins, dtype=torch.long)

    def add(self, value: Tensor, group: Tensor) -> None:
        """Count ``value`` (any shape, in [0, 1]) in the histograms of ``group`` (same shape)."""
        classes, bins = self.counts.shape
        place = (value.flatten() * bins).long().clamp(0, bins - 1)
        flat = group.flatten().long() * bins + place
        found = torch.bincount(flat, minlength=classes * bins).view(classes, bins)
        self.counts += found.to(self.counts.device)

    def quantile(self, share: float) -> list[float | None]:
        """For each class the value below which ``share`` of its values lie; None without values.

        The middle of the bin that holds the (lower) quantile: no further than half a bin from
        what sorting all values gives.
        """
        classes, bins = self.counts.shape
        found: list[float | None] = []
        for k in range(classes):
            total = int(self.counts[k].sum())
            if total == 0:
                found.append(None)
                continue
            # The value of rank ceil(share * total), counted from one: the median of an even
            # number of values is the lower of the two in the middle, as torch.median's.
            rank = max(1, -int(-share * total // 1))
            place = int(torch.searchsorted(self.counts[k].cumsum(0), rank))
            found.append((place + 0.5) / bins)
        return found
