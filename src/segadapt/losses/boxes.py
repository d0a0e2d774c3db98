"""SSD's loss of anchor boxes (Liu et al., ECCV 2016, Sec. 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.ops import box_iou

CLASS, IGNORED = 4, 5
"""Columns of a label (M, 6) behind left, top, right, bottom in pixels."""
PADDING = 255
"""Class of rows that only fill a batch up."""
OVERLAP = 0.5
"""From which an anchor goes with a box."""
NEGATIVES = 3
"""Background anchors that count, for each that has a box: those of the largest loss."""
CODER = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))


class BoxTerms(NamedTuple):
    """Sums over the images, each divided by the number of anchors that have a box."""

    classification: Tensor
    regression: Tensor


def boxes_of(label: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of a label (M, 6) to be learned, and those to be ignored; filling left out."""
    real = label[label[:, CLASS] != PADDING]
    ignored = real[:, IGNORED] > 0
    return real[~ignored], real[ignored]


def ssd_loss(
    scores: Tensor,
    offsets: Tensor,
    anchors: Tensor,
    label: Tensor,
    process_mean: Callable[[Tensor], Tensor] | None = None,
) -> BoxTerms:
    """Softmax loss of classes with hard negatives, and smooth L1 loss of offsets.

    Equal to ``torchvision.models.detection.SSD.compute_loss`` where no box is ignored. An anchor
    without a box that overlaps one to be ignored is no example of the background.

    Args:
        scores: (N, A, 1 + C), the background first.
        offsets: (N, A, 4).
        anchors: (A, 4) in pixels.
        label: (N, M, 6): left, top, right, bottom in pixels, class from 0, 1 where ignored; class
            255 fills up.
        process_mean: mean of a tensor over all processes; each one's sums are divided by the
            average number of anchors that have a box, as in :func:`cross_entropy`.

    Returns:
        Two scalars, whose sum is the loss.
    """
    matcher = SSDMatcher(OVERLAP)
    truth = torch.zeros(scores.shape[:2], dtype=torch.int64, device=scores.device)
    counts = torch.ones_like(truth, dtype=torch.bool)
    regression = offsets.new_zeros(())
    for image, rows in enumerate(label):
        boxes, ignored = boxes_of(rows)
        if len(ignored):
            counts[image] = box_iou(anchors, ignored[:, :4]).amax(dim=1) < OVERLAP
        if not len(boxes):
            continue
        matched = matcher(box_iou(boxes[:, :4], anchors))
        places = torch.where(matched >= 0)[0]
        own = boxes[matched[places]]
        truth[image, places] = own[:, CLASS].long() + 1
        wanted = CODER.encode_single(own[:, :4], anchors[places])
        regression = regression + F.smooth_l1_loss(offsets[image, places], wanted, reduction="sum")
    positive = truth > 0
    loss = F.cross_entropy(scores.flatten(0, 1), truth.flatten(), reduction="none")
    loss = loss.view(truth.shape)
    negative = loss.detach().masked_fill(positive | ~counts, -torch.inf)
    rank = negative.sort(dim=1, descending=True).indices.sort(dim=1).indices
    chosen = (rank < NEGATIVES * positive.sum(dim=1, keepdim=True)) & counts & ~positive
    number = positive.sum().to(loss.dtype)
    if process_mean is not None:
        number = process_mean(number)
    number = number.clamp(min=1)
    return BoxTerms(loss[positive | chosen].sum() / number, regression / number)


def filled_up(labels: list[Tensor]) -> Tensor:
    """Boxes (M_i, 6) of several images as one (N, M, 6), M at least 1, filled with class 255."""
    most = max(1, *(len(label) for label in labels))
    batch = labels[0].new_zeros((len(labels), most, 6))
    batch[..., 4] = PADDING
    for row, label in zip(batch, labels, strict=True):
        row[: len(label)] = label
    return batch
