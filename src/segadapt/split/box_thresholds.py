"""From which score a detector's boxes are labels: a threshold for each class."""

from __future__ import annotations

from torch import Tensor


def class_thresholds(
    scores: Tensor, class_ids: Tensor, num_classes: int, portion: float, least: float, cap: float
) -> list[float]:
    """The score that the surest ``portion`` of a class's boxes reach, and never more than ``cap``.

    CBST's class-balanced thresholds (Zou et al., ECCV 2018, Sec. 4.2: the most confident portion
    of each class) over boxes in place of pixels, with the cap of PixIntraDA's (Sec. 4.1): a class
    that the detector is unsure of keeps its best boxes, a sure one keeps all above the cap.

    Args:
        scores: (B,) of the boxes found in all images, after suppression.
        class_ids: (B,) of the same boxes.
        num_classes: C.
        portion: in (0, 1].
        least: score of boxes that count; far below, a detector finds hundreds in any image.
        cap: in (0, 1]; that of a class without any box.
    """
    found = []
    for class_id in range(num_classes):
        own = scores[(class_ids == class_id) & (scores >= least)].sort(descending=True).values
        number = max(1, round(portion * len(own)))
        found.append(min(cap, float(own[number - 1])) if len(own) else cap)
    return found
