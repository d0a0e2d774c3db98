"""How far pseudo-labels of a teacher are trusted: one weight per batch, or one per pixel."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from segadapt.split.confidence_histogram import ConfidenceHistogram
from segadapt.split.instance_adaptive import updated_thresholds

ProcessMean = Callable[[Tensor], Tensor]
BINS = 1000


def share_sure(
    confidence: Tensor, threshold: float, process_mean: ProcessMean | None = None
) -> Tensor:
    """q: the share of the batch's pixels whose confidence reaches ``threshold`` (DACS, DAFormer
    Eq. 4, with one number for the batch as in their programs).

    Args:
        confidence: (N, H, W), the highest class probability of the teacher.
        threshold: tau, inclusive.
        process_mean: mean over the processes, which have batches of one size.

    Returns:
        A scalar in [0, 1].
    """
    share = (confidence >= threshold).float().mean()
    return share if process_mean is None else process_mean(share)


class ClassThresholds(nn.Module):
    """A threshold for each class that moves with the batches (IAST, Eq. 2 and 3).

    The rule is that of :func:`segadapt.split.instance_adaptive.updated_thresholds`, with a batch in
    the place of an image.
    """

    def __init__(self, num_classes: int, first: float = 0.9) -> None:
        super().__init__()
        self.thresholds: Tensor
        self.register_buffer("thresholds", torch.full((num_classes,), first))

    def weights(
        self,
        confidence: Tensor,
        label: Tensor,
        settings: tuple[float, float, float],
        process_sum: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Move the thresholds, then 1 where a pixel reaches that of its class, else 0.

        Args:
            confidence: (N, H, W).
            label: (N, H, W), the class that it is of.
            settings: alpha, beta, gamma of IAST.
            process_sum: sum over the processes.

        Returns:
            (N, H, W) floats.
        """
        histogram = ConfidenceHistogram(len(self.thresholds), BINS)
        histogram.add(confidence.detach(), label)
        if process_sum is not None:
            on_device = histogram.counts.to(confidence.device)
            histogram.counts = process_sum(on_device).cpu()
        moved = updated_thresholds(self.thresholds.tolist(), histogram, *settings)
        self.thresholds.copy_(self.thresholds.new_tensor(moved))
        return (confidence >= self.thresholds[label.long()]).float()


def inside_margins(weight: Tensor, inside: Tensor | None) -> Tensor:
    """Without weight where ``inside`` (N, H, W) is false: bonnets, edges of rectified images."""
    return weight if inside is None else weight * inside
