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


def rows_for_ranking(probability: Tensor) -> tuple[Tensor, Tensor]:
    """What the ranking needs of (N, C, rows, W) class probabilities.

    Returns:
        Sums of the weighted self-information over classes and columns, (N, rows) float64, and the
        most probable classes, (N, rows, W) int64.
    """
    information = weighted_self_information(probability)
    return information.sum(dim=(1, 3), dtype=torch.float64), probability.max(dim=1).indices


def image_entropy(row_sums: Tensor, predicted: Tensor, num_classes: int) -> ImageEntropy:
    """Ranking quantities of one image.

    Args:
        row_sums: of its (H) rows, as of :func:`rows_for_ranking`.
        predicted: its (H, W) classes.
        num_classes: number of classes C.
    """
    entropy = float(row_sums.sum()) / predicted.numel()
    found = torch.bincount(predicted.flatten(), minlength=num_classes).nonzero()
    return ImageEntropy(
        mean_self_information=entropy / num_classes,
        mean_entropy=entropy,
        predicted_classes=tuple(found.flatten().tolist()),
    )


def image_entropies(probability: Tensor) -> list[ImageEntropy]:
    """Ranking quantities of every image of (N, C, H, W) class probabilities."""
    rows, predicted = rows_for_ranking(probability)
    classes = probability.shape[1]
    return [image_entropy(*one, classes) for one in zip(rows, predicted, strict=True)]


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
