"""IntraDA's ranking of target images by entropy (Pan et al., CVPR 2020, Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from segadapt.losses.entropy import weighted_self_information

Normalisation = Literal["none", "rare_classes", "released"]


class ImageEntropy(NamedTuple):
    """What the ranking needs of one image."""

    mean_self_information: float
    """Mean of the weighted self-information map over classes and pixels: R of Eq. 4 over C."""
    mean_entropy: float
    """Mean normalised entropy over pixels, in [0, 1]: R of Eq. 4 with the entropy normalised."""
    predicted_classes: tuple[int, ...]
    """Classes that are the most probable one somewhere, ascending."""


def image_entropies(probability: Tensor) -> list[ImageEntropy]:
    """Ranking quantities of every image of (N, C, H, W) class probabilities."""
    information = weighted_self_information(probability)
    by_class = information.double().mean(dim=(2, 3))
    predictions = probability.argmax(dim=1)
    return [
        ImageEntropy(
            mean_self_information=float(values.mean()),
            mean_entropy=float(values.sum()),
            predicted_classes=tuple(torch.unique(prediction).tolist()),
        )
        for values, prediction in zip(by_class, predictions, strict=True)
    ]


def normaliser(
    predicted_classes: Iterable[int], rare_classes: Sequence[int], normalisation: Normalisation
) -> float:
    """The factor on an image's mean entropy.

    Args:
        predicted_classes: classes found in the image.
        rare_classes: ids of the rare classes of the class map.
        normalisation: ``none``: 1. ``rare_classes``: 1 / number of predicted rare classes, the
            paper's division (Sec. 4.2), where we count at least one. ``released``: the released
            program's (R - n) / R + 0.5 with n of R rare classes predicted.
    """
    if normalisation == "none":
        return 1.0
    found = len(set(predicted_classes) & set(rare_classes))
    if normalisation == "rare_classes":
        return 1.0 / max(found, 1)
    return (len(rare_classes) - found) / len(rare_classes) + 0.5


def easy_number(images: int, easy_ratio: float) -> int:
    """floor(lambda * number): how many of the images are easy (IntraDA, Sec. 3.2)."""
    return int(images * easy_ratio)


def split_by_score(scores: Sequence[float], easy_ratio: float) -> tuple[list[int], list[int]]:
    """Indices of the easy and of the hard images, each by ascending score.

    Args:
        scores: one per image; lower is easier. Equal scores keep their order.
        easy_ratio: lambda in [0, 1] (Sec. 3.2); the easy part has floor(lambda * number) images.
    """
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    number = easy_number(len(scores), easy_ratio)
    return order[:number], order[number:]
