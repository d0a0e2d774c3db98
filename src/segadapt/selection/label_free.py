"""Scores of a model on unlabelled target images; for all of them more is better.

* ``mean_entropy``: minus the mean normalised entropy (Morerio et al., ICLR 2018).
* ``information_maximisation``: entropy of the mean prediction minus mean entropy (Krause et al.,
  NIPS 2010; as a validator: Musgrave et al., "Three new validators", 2022).
* ``soft_neighbourhood_density``: Saito et al., "Tune it the right way", ICCV 2021, Sec. 3.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from segadapt.losses.entropy import entropy_map

LabelFree = Literal["mean_entropy", "information_maximisation", "soft_neighbourhood_density"]
LABEL_FREE: tuple[LabelFree, ...] = (
    "mean_entropy",
    "information_maximisation",
    "soft_neighbourhood_density",
)

POSITIONS = 1024
"""Most positions of an image whose neighbourhoods are compared; spread evenly."""
TEMPERATURE = 0.05
"""Of the softmax over similarities (Saito et al., Sec. 3.2)."""


class LabelFreeScores:
    """Accumulates what the scores need, image by image, in memory that does not grow."""

    def __init__(self, num_classes: int, device: torch.device) -> None:
        # Sums over images: the class probabilities, then entropy, density, number of images.
        self._sums = torch.zeros(num_classes + 3, dtype=torch.float64, device=device)

    def update(self, probability: Tensor) -> None:
        """Add (N, C, h, w) class probabilities; every image counts alike, whatever its size."""
        mean = probability.double().mean(dim=(2, 3))
        entropy = entropy_map(probability).double().mean(dim=(1, 2))
        density = torch.stack([neighbourhood_density(image) for image in probability]).double()
        one = torch.ones_like(density)
        rows = torch.cat([mean, torch.stack([entropy, density, one], dim=1)], dim=1)
        self._sums += rows.sum(dim=0)

    def sums(self) -> Tensor:
        """What is to be added up over processes before :func:`label_free_scores`."""
        return self._sums


def label_free_scores(sums: Tensor) -> dict[LabelFree, float]:
    """All scores from :meth:`LabelFreeScores.sums`; at least one image must have been added."""
    means = (sums / sums[-1]).cpu()
    classes, entropy, density = means[:-3], float(means[-3]), float(means[-2])
    diversity = float(torch.special.entr(classes).sum()) / math.log(len(classes))
    return {
        "mean_entropy": -entropy,
        "information_maximisation": diversity - entropy,
        "soft_neighbourhood_density": density,
    }


def neighbourhood_density(probability: Tensor) -> Tensor:
    """Soft neighbourhood density of one image (Saito et al., Eq. 1 to 3).

    Similarities between the softmax outputs of two positions (normalised to length one) become,
    by a softmax over the other positions, a distribution per position; its entropy is large where
    a position has many equally close neighbours. The paper compares images, or pixels drawn at
    random; we take evenly spread positions of one image, so that the result has no chance in it.

    Args:
        probability: (C, h, w), with at least three positions.

    Returns:
        A scalar, the mean entropy over positions, in nats.
    """
    features = F.normalize(probability.float().flatten(start_dim=1).T, dim=1)
    if len(features) > POSITIONS:
        chosen = torch.linspace(0, len(features) - 1, POSITIONS, device=features.device)
        features = features[chosen.round().long()]
    similarity = features @ features.T / TEMPERATURE
    similarity.fill_diagonal_(-torch.inf)
    log_share = similarity.log_softmax(dim=1)
    # A position is not its own neighbour: 0 log 0 is 0.
    return -(log_share.exp() * log_share.fill_diagonal_(0.0)).sum(dim=1).mean()
