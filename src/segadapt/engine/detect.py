"""The only loop that finds boxes: in the images of a domain, or in one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segadapt.base.detections import Detections
from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.transforms import image_size, resize_image
from segadapt.engine.evaluate import require_same_classes
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.engine.predict import Predictor, rgb_array
from segadapt.losses.entropy import entropy_map
from segadapt.metrics_boxes import BoxScores, score_boxes
from segadapt.models.boxes import as_map, at_places
from segadapt.tasks.detection import boxes_of_level


class Found(NamedTuple):
    """What a detector finds in an image, and what is there."""

    number: int
    """Of the image in its domain."""
    detections: Detections
    """In pixels of the image's file, on the CPU."""
    truth: NDArray[np.float32]
    """(M, 6): left, top, right, bottom in the same pixels, class, and 1 where ignored."""


def detect(
    predictor: Predictor,
    domain: Domain,
    batch_size: int,
    processes: Processes,
    title: str,
    workers: int = 2,
) -> list[Found]:
    """What a detector finds in each image of a labelled domain, in the domain's order.

    Every process gets what all have found, so that nothing depends on how many they are.

    Raises:
        SegadaptError: the model's classes are not the domain's, or a file cannot be used.
    """
    require_same_classes(predictor, domain)
    require_boxes(predictor, domain)
    own: list[Found] = []
    batches = looked_at(domain, processes, batch_size, workers)
    for batch in progress(batches, title, len(domain), processes):
        assert batch.labels is not None
        seen = (batch.image.shape[1], batch.image.shape[2])
        rows = zip(batch.indices, predictor.detections(batch.image), batch.labels, strict=True)
        for index, one, truth in rows:
            size = image_size(domain.samples[index].image)
            own.append(Found(index, in_file(one, seen, size), truth.numpy().copy()))
    gathered = [found for part in processes.gather(own) for found in part]
    return sorted(gathered, key=lambda found: found.number)


def require_boxes(predictor: Predictor, domain: Domain) -> None:
    """Raise SegadaptError where one of model and domain has boxes and the other has not."""
    if predictor.classes.boxes != domain.classes.boxes:
        with_boxes, without = (
            ("the checkpoint finds", "the labels are not")
            if predictor.classes.boxes
            else ("the labels are", "the checkpoint finds none")
        )
        raise SegadaptError(f"{domain.title}: {with_boxes} boxes, {without}; choose one that fits")


def scores_of(found: list[Found], num_classes: int) -> BoxScores:
    """AP of what :func:`detect` found.

    Raises:
        SegadaptError: the extra ``boxes`` is not installed.
    """
    return score_boxes([x.detections for x in found], [x.truth for x in found], num_classes)


def detect_image(
    predictor: Predictor, image: str | Path | Image.Image | NDArray[np.uint8]
) -> Detections:
    """Boxes in one image, in its own pixels, on the CPU; the surest first.

    Args:
        predictor: a detector, of :func:`segadapt.load`; the image is resized to the size that it
            was trained with.
        image: a file, a Pillow image, or RGB (height, width, 3) uint8.

    Raises:
        SegadaptError: the checkpoint finds no boxes, the file cannot be read, or the array is of
            another form.
    """
    if not predictor.classes.boxes:
        raise SegadaptError(
            "this checkpoint gives pixels classes and finds no boxes; call predictor.predict(image)"
        )
    original = rgb_array(image)
    resized = resize_image(original, predictor.size)
    (one,) = predictor.detections(torch.from_numpy(resized.copy())[None])
    return in_file(one, resized.shape[:2], original.shape[:2])


def entropy_of_places(predictor: Predictor, image: Tensor) -> Tensor:
    """Largest normalised entropy of a detector's anchors at each pixel, (N, H, W) on the CPU.

    Args:
        predictor: a detector.
        image: uint8 RGB (N, H, W, 3).
    """
    boxes = boxes_of_level(predictor.boxes(image))
    entropy = entropy_map(as_map(boxes.scores).softmax(dim=1))[..., 0]
    return at_places(entropy, boxes.grids, (image.shape[1], image.shape[2])).cpu()


def in_file(one: Detections, seen: tuple[int, ...], size: tuple[int, ...]) -> Detections:
    """Boxes of an image seen in (height, width) ``seen``, in pixels of its file of ``size``."""
    down, across = size[0] / seen[0], size[1] / seen[1]
    boxes = one.boxes.cpu().float() * torch.tensor([across, down, across, down])
    return Detections(boxes, one.scores.cpu().float(), one.labels.cpu())
