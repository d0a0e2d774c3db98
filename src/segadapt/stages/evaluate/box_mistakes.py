"""The boxes that a detector is surest about, and that are wrong, as pictures."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from segadapt.base.box_pictures import NO_CLASS, box_picture
from segadapt.data.domain import Domain
from segadapt.engine.detect import Found

ENOUGH, NEAR = 0.5, 0.1
"""IoU with a true box from which it is found, and from which the box is meant to be it."""
CONTEXT, LEAST_CONTEXT = 0.4, 16
"""What is shown around a box: a share of its longer side, and least pixels."""
WIDTH = 240


class Wrong(NamedTuple):
    """A box that is none."""

    score: float
    image: int
    """Its number in the domain."""
    box: tuple[float, ...]
    kind: str
    """``class``: it is on a box of ``truth``. ``twice``: on one that was found already. ``place``:
    near one of its class. ``background``: on nothing."""
    truth: int | None
    predicted: int


def wrong_boxes(found: Found) -> Iterator[Wrong]:
    """Boxes of one image that match no true box of their class at IoU 0.5, as in AP50.

    Those that are on an ignored box, with half of their area, are none.
    """
    true = torch.from_numpy(found.truth[found.truth[:, 5] == 0])
    ids = true[:, 4].long()
    overlap = box_iou(found.detections.boxes, true[:, :4])
    covered = _covered(found.detections.boxes.numpy(), found.truth[found.truth[:, 5] != 0])
    taken = torch.zeros(len(true), dtype=torch.bool)
    columns = (found.detections.boxes, found.detections.scores, found.detections.labels)
    for place, (box, score, label) in enumerate(zip(*columns, strict=True)):
        own = overlap[place] * (ids == label)
        free = own * ~taken
        if len(free) and free.max() >= ENOUGH:
            taken[free.argmax()] = True
            continue
        if covered[place] >= ENOUGH:
            continue
        kind, truth = "background", None
        if len(own) and own.max() >= ENOUGH:
            kind = "twice"
        elif len(own) and overlap[place].max() >= ENOUGH:
            kind, truth = "class", int(ids[overlap[place].argmax()])
        elif len(own) and own.max() >= NEAR:
            kind = "place"
        corners = tuple(float(x) for x in box)
        yield Wrong(float(score), found.number, corners, kind, truth, int(label))


def save_box_mistakes(
    title: str, found: Sequence[Found], domain: Domain, number: int, directory: Path
) -> dict[str, Any]:
    """Write the ``number`` most certain mistakes of a checkpoint, cut out with what is around.

    Returns:
        What the report needs: the pictures' files, what was there and what it was taken for.
    """
    names = domain.classes.names
    folder = Path("mistakes") / title
    (directory / folder).mkdir(parents=True, exist_ok=True)
    wrong = (one for image in found for one in wrong_boxes(image))
    truth = {image.number: image.truth for image in found}
    rows = []
    for place, one in enumerate(heapq.nlargest(number, wrong, key=lambda x: x.score)):
        path = folder / f"{place:03d}.jpg"
        _cut_out(one, truth[one.image], domain).save(directory / path, quality=88)
        rows.append(
            {
                "image": path.as_posix(),
                "name": domain.samples[one.image].name,
                "kind": one.kind,
                "truth": "" if one.truth is None else names[one.truth],
                "predicted": names[one.predicted],
                "probability": one.score,
                "box": one.box,
            }
        )
    return {"checkpoint": title, "images": rows}


def _covered(boxes: NDArray[np.float32], ignored: NDArray[np.float32]) -> NDArray[np.float32]:
    """(K,) largest share of each box's area that one ignored box covers."""
    first, last = boxes[:, None, :2], boxes[:, None, 2:]
    sides = np.minimum(last, ignored[None, :, 2:4]) - np.maximum(first, ignored[None, :, :2])
    area = (last - first).clip(min=1e-6).prod(axis=2)
    share = sides.clip(min=0).prod(axis=2) / area
    most: NDArray[np.float32] = share.max(axis=1, initial=0)
    return most


def _cut_out(one: Wrong, truth: NDArray[np.float32], domain: Domain) -> Any:
    """The box in its class's colour, and what is truly there in grey."""
    image = domain.original(one.image)
    left, top, right, bottom = one.box
    around = max(LEAST_CONTEXT, CONTEXT * max(right - left, bottom - top))
    x0, y0 = max(0, int(left - around)), max(0, int(top - around))
    x1 = min(image.shape[1], int(right + around) + 1)
    y1 = min(image.shape[0], int(bottom + around) + 1)
    boxes = np.vstack([truth[:, :4], np.array([one.box])]) - [x0, y0, x0, y0]
    inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < [x1 - x0, y1 - y0]).all(axis=1)
    ids = np.array([*[NO_CLASS] * len(truth), one.predicted])[inside]
    return box_picture(
        image[y0:y1, x0:x1], boxes[inside], ids.tolist(), domain.classes, widths=(WIDTH, WIDTH)
    )
