"""What an exported file computes: from pictures to scores at their size, or to boxes."""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.ops import nms

from segadapt.engine.exported.resizing import resized
from segadapt.losses.boxes import CODER
from segadapt.models.files.checkpoints import TrainedModel
from segadapt.models.inputs import from_planes
from segadapt.tasks.detection import LEAST_SCORE, OVERLAP
from segadapt.tasks.segmentation import upsample

Input = Literal["float", "uint8"]
Output = Literal["scores", "labels", "boxes", "detections"]
"""``scores`` and ``labels`` are of segmenters; ``boxes`` (of all anchors) and ``detections`` (after
suppression) are of detectors."""
INPUT_NAME = "image"
OUTPUT_NAMES: dict[Output, tuple[str, ...]] = {
    "scores": ("scores",),
    "labels": ("labels",),
    "boxes": ("boxes", "probabilities"),
    "detections": ("detections",),
}


class Graph(nn.Module):
    """Pictures in; normalisation, resizing and the network inside.

    Args:
        trained: the network with its input format and the size it was trained with.
        input_: ``float``: RGB (N, 3, H, W) in 0..1; ``uint8``: RGB (N, H, W, 3).
        output: what comes out, at the size of the pictures that come in. ``scores`` (N, C, H, W),
            raw; ``labels`` (N, H, W) uint8; ``boxes`` (N, A, 4) left, top, right, bottom in pixels
            and ``probabilities`` (N, A, 1 + C), the background first; ``detections`` (K, 7): number
            of the image, class, score, left, top, right, bottom, the surest first.
        half: whether the network computes in half precision; what goes in and out is as without.
    """

    def __init__(
        self, trained: TrainedModel, input_: Input, output: Output, half: bool = False
    ) -> None:
        super().__init__()
        self.network = copy.deepcopy(trained.model).half() if half else trained.model
        self.input_format = trained.config.input_format
        self.size = trained.size
        self.input, self.output, self.half_ = input_, output, half

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """See the class."""
        planes = image.permute(0, 3, 1, 2).float() if self.input == "uint8" else image * 255.0
        height, width = planes.shape[-2:]
        if self.size is not None:
            planes = resized(planes, self.size)
        seen = from_planes(planes, self.input_format)
        output = self.network(seen.half() if self.half_ else seen)
        if output.boxes is None:
            scores = upsample(output.main.float(), (height, width))
            return scores if self.output == "scores" else scores.argmax(dim=1).to(torch.uint8)
        sides = torch.stack(
            [torch.scalar_tensor(side, dtype=torch.float32) for side in (width, height) * 2]
        )
        boxes = decoded(output.boxes.offsets, output.boxes.anchors).clamp(0, 1) * sides
        probability = output.boxes.scores.softmax(dim=-1)
        if self.output == "boxes":
            return boxes, probability
        return suppressed(boxes, probability[..., 1:], sides)


def decoded(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Boxes (N, A, 4) of SSD's offsets (N, A, 4) from anchors (A, 4), in their unit."""
    sides = anchors[:, 2:] - anchors[:, :2]
    middle = anchors[:, :2] + sides / 2
    moves = offsets / offsets.new_tensor(CODER.weights)
    middle = moves[..., :2] * sides + middle
    half = moves[..., 2:].clamp(max=CODER.bbox_xform_clip).exp() * sides / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def suppressed(boxes: Tensor, probability: Tensor, sides: Tensor) -> Tensor:
    """Detections (K, 7) of all images, whose boxes of one class suppress each other.

    Args:
        boxes: (N, A, 4) in pixels.
        probability: (N, A, C).
        sides: (4,) width and height of the images, twice.
    """
    image, anchor, class_id = (probability > LEAST_SCORE).nonzero(as_tuple=True)
    found, score = boxes[image, anchor], probability[image, anchor, class_id]
    # Those of another image or class are moved to where nothing of this one is.
    group = (image * probability.shape[-1] + class_id).float()
    kept = nms(found + (group * (sides.max() + 1))[:, None], score, OVERLAP)
    columns = (image[kept].float(), class_id[kept].float(), score[kept])
    return torch.cat([torch.stack(columns, dim=1), found[kept]], dim=1)
