"""Detection of boxes: a prediction is scores of anchors on maps of several sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms, clip_boxes_to_image

from segadapt.base.detections import Detections
from segadapt.losses.boxes import CODER, PADDING, filled_up, ssd_loss
from segadapt.models.adversaries.discriminator import build_discriminator
from segadapt.models.boxes import BoxOutput
from segadapt.models.heads.base import LevelLogits
from segadapt.tasks.segmentation import Level, SegmentationTask

LEAST_SCORE, MOST_OF_A_CLASS, OVERLAP, MOST = 0.01, 400, 0.45, 200
"""torchvision's SSD: what is kept before and after boxes of one class suppress each other."""
LEAST_SIDE = 1.0
"""Pixels of boxes that are learned from; of less the offsets are without bound."""
SMALLEST = 32
"""Rows and columns that a discriminator needs."""


@dataclass(frozen=True)
class DetectionTask(SegmentationTask):
    """SSD's losses; maps of all anchors and resolutions, stacked (ADVENT, Appendix A).

    A level's ``logit`` is (N, 1 + C, K, H, W), see :func:`segadapt.models.boxes.stacked`: its
    class probabilities are the soft-detection maps of the paper with the background as a class.
    Labels are (N, M, 6): left, top, right, bottom in pixels, class, and 1 where ignored.

    Attributes:
        anchors: K, of one place of all maps together.
    """

    anchors: int = 30

    def levels_of(self, output: LevelLogits, size: tuple[int, int] | torch.Size) -> list[Level]:
        """One level, whose anchors are in pixels of images of (height, width) ``size``."""
        assert output.boxes is not None, "the model is no detector"
        height, width = size
        sides = output.boxes.anchors.new_tensor((width, height, width, height))
        boxes = output.boxes._replace(anchors=output.boxes.anchors * sides)
        return [Level("main", output.main.float(), boxes=boxes)]

    def discriminators(self, level_names: Iterable[str], width: int) -> dict[str, nn.Module]:
        """Those of class maps, which see the stacked maps of all anchors as channels."""
        channels = self.anchors * (1 + self.num_classes)
        return {
            f"discriminator_{name}": nn.Sequential(Stacked(), *build_discriminator(channels, width))
            for name in level_names
        }

    def supervised_loss(self, level: Level, label: Tensor) -> Tensor:
        """SSD's loss of one level against labels (N, M, 6); see :func:`ssd_loss`."""
        boxes = boxes_of_level(level)
        terms = ssd_loss(boxes.scores, boxes.offsets, boxes.anchors, label, self.process_mean)
        return terms.classification + terms.regression

    def pseudo_label(self, level: Level, threshold: float) -> Tensor:
        """Boxes (N, M, 6) that are found; those whose score is below ``threshold`` are ignored.

        An anchor near an unsure box then counts neither as that nor as background.
        """
        found = []
        for one in detections(level):
            unsure = (one.scores < threshold).to(one.boxes.dtype)
            sides = one.boxes[:, 2:] - one.boxes[:, :2]
            kept = (one.scores >= threshold / 2) & (sides >= LEAST_SIDE).all(dim=1)
            columns = (one.boxes, one.labels[:, None].to(one.boxes.dtype), unsure[:, None])
            found.append(torch.cat(columns, dim=1)[kept])
        return filled_up(found)

    def share_known(self, label: Tensor) -> Tensor:
        """Share of the boxes in (N, M, 6) that are not ignored, a scalar; 0 without any."""
        real = label[..., 4] != PADDING
        sure = real & (label[..., 5] == 0)
        return sure.sum() / real.sum().clamp(min=1)


class Stacked(nn.Module):
    """Maps (N, C, K, H, W) as channels (N, C * K, H, W), padded with zeros to 32 rows, columns."""

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        right, down = (max(0, SMALLEST - maps.shape[i]) for i in (-1, -2))
        return F.pad(maps.flatten(1, 2), (0, right, 0, down))


def boxes_of_level(level: Level) -> BoxOutput:
    """What a detector says, anchors in pixels."""
    assert level.boxes is not None, "the level is no detector's"
    return level.boxes


def detections(level: Level, size: tuple[int, int] | None = None) -> list[Detections]:
    """Boxes of each image, after suppression, as torchvision's SSD has them.

    Args:
        level: of a detector.
        size: (height, width) that boxes are cut off at; the reach of the anchors where None.
    """
    output = boxes_of_level(level)
    if size is None:
        right, bottom = output.anchors[:, 2:].amax(dim=0).ceil().int().tolist()
        size = bottom, right
    return [
        _of_image(scores, offsets, output.anchors, size)
        for scores, offsets in zip(output.scores.softmax(dim=-1), output.offsets, strict=True)
    ]


def _of_image(
    scores: Tensor, offsets: Tensor, anchors: Tensor, size: tuple[int, int]
) -> Detections:
    boxes = clip_boxes_to_image(CODER.decode_single(offsets, anchors), size)
    parts = []
    for class_id in range(scores.shape[1] - 1):
        score = scores[:, class_id + 1]
        kept = score > LEAST_SCORE
        score, own = score[kept], boxes[kept]
        best = score.topk(min(MOST_OF_A_CLASS, len(score)))
        parts.append((own[best.indices], best.values, torch.full_like(best.indices, class_id)))
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    kept = batched_nms(columns[0], columns[1], columns[2], OVERLAP)[:MOST]
    return Detections(columns[0][kept], columns[1][kept], columns[2][kept])
