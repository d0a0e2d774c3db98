"""The ``pseudo_label`` stage where images have boxes: those above class-wise thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from segadapt.artefacts import BOXES_FILE, LabelSet, write_json
from segadapt.base.detections import Detections
from segadapt.data.boxes.array import box_array
from segadapt.data.boxes.coco_written import ImageBoxes, coco_content
from segadapt.data.domain import Domain
from segadapt.data.transforms import image_size
from segadapt.engine.detect import in_file
from segadapt.split.box_thresholds import class_thresholds
from segadapt.stages.context import Work
from segadapt.stages.kept import of_each_image
from segadapt.stages.pseudo_label.config import BoxSelection, PseudoLabelStage


def run_boxes(stage: PseudoLabelStage, work: Work, domain: Domain) -> dict[str, Any]:
    """Find boxes in every image, and leave ``labels.json`` and ``boxes.json``."""
    predictor = work.context.predictor(stage.checkpoint, work.processes)

    def find(index: int, image: Tensor) -> list[Any]:
        (one,) = predictor.detections(image)
        size = image_size(domain.samples[index].image)
        return [x.tolist() for x in in_file(one, tuple(image.shape[1:3]), size)]

    kept, found = of_each_image(domain, work, stage.batch_size, stage.workers, find)
    rows = [Detections(*(torch.tensor(x) for x in one)) for one in found]
    names = domain.classes.names
    selection = stage.boxes or BoxSelection()
    thresholds = class_thresholds(
        torch.cat([x.scores for x in rows]),
        torch.cat([x.labels for x in rows]),
        len(names),
        selection.portion,
        selection.least,
        selection.cap,
    )
    images = [
        ImageBoxes(sample.name, image_size(sample.image), _labels(one, thresholds))
        for sample, one in zip(domain.samples, rows, strict=True)
    ]
    if work.processes.is_first:
        write_json(work.directory / BOXES_FILE, coco_content(images, names))
        LabelSet(stage.images, tuple(sample.name for sample in domain.samples)).save(work.directory)
    work.processes.barrier()
    kept.close()
    sure = np.concatenate([x.boxes[x.boxes[:, 5] == 0, 4] for x in images]).astype(np.int64)
    counts = np.bincount(sure, minlength=len(names)).tolist()
    return {
        "images": len(domain),
        "boxes": dict(zip(names, counts, strict=True)),
        "thresholds": dict(zip(names, thresholds, strict=True)),
    }


def _labels(one: Detections, thresholds: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Boxes (M, 6); those between half the threshold of their class and it are ignored."""
    rows = zip(one.boxes.tolist(), one.labels.tolist(), one.scores.tolist(), strict=True)
    return box_array(
        (left, top, right, bottom, label, score < thresholds[label])
        for (left, top, right, bottom), label, score in rows
        if score >= thresholds[label] / 2 and right > left and bottom > top
    )
