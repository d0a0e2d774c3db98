"""What an inspection finds of one image: of its pixels, or of the boxes in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from segadapt.base.box_pictures import LEAST_DRAWN
from segadapt.engine.predict import Predictor
from segadapt.models.boxes import as_map
from segadapt.selection.agreement import agreement_of_boxes, agreement_of_pixels
from segadapt.selection.label_free import LabelFreeScores
from segadapt.tasks.detection import boxes_of_level, detections
from segadapt.tasks.segmentation import upsample


class Look(NamedTuple):
    """One image through the eyes of K checkpoints."""

    sums: list[list[float]]
    """By checkpoint: :meth:`LabelFreeScores.sums`."""
    counts: list[list[int]]
    """(K, classes): pixels, or boxes, by predicted class."""
    agreement: list[list[float]]
    """(K, K), in [0, 1]."""


@torch.inference_mode()
def look_at_pixels(predictors: Sequence[Predictor], image: Tensor) -> Look:
    """Look at uint8 RGB (1, height, width, 3); whole images are maps of one pixel."""
    sums, counts, labels = [], [], []
    for predictor in predictors:
        logits = predictor.logits(image)
        whole = predictor.classes.whole_image
        size = (1, 1) if whole else (image.shape[1], image.shape[2])
        label = upsample(logits, size).argmax(dim=1)[0]
        labels.append(label)
        sums.append(_sums(logits.softmax(dim=1)))
        counts.append(_by_class(label.flatten(), predictor))
    return Look(sums, counts, agreement_of_pixels(labels))


@torch.inference_mode()
def look_at_boxes(predictors: Sequence[Predictor], image: Tensor) -> Look:
    """The same for boxes that are sure enough to be drawn; the background is a class of scores."""
    sums, counts, boxes = [], [], []
    for predictor in predictors:
        level = predictor.boxes(image)
        (found,) = detections(level, (image.shape[1], image.shape[2]))
        sure = found.scores >= LEAST_DRAWN
        boxes.append((found.boxes[sure], found.labels[sure]))
        sums.append(_sums(as_map(boxes_of_level(level).scores).softmax(dim=1)))
        counts.append(_by_class(found.labels[sure], predictor))
    return Look(sums, counts, agreement_of_boxes(boxes))


def _sums(probability: Tensor) -> list[float]:
    scores = LabelFreeScores(probability.shape[1], probability.device)
    scores.update(probability)
    values: list[float] = scores.sums().tolist()
    return values


def _by_class(ids: Tensor, predictor: Predictor) -> list[int]:
    counts: list[int] = torch.bincount(ids, minlength=len(predictor.classes.names)).tolist()
    return counts
