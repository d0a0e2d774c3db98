"""Finds boxes in image files: the ``predict`` verb with a detector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rich.progress import track

from segadapt.artefacts import strict_json
from segadapt.base.box_pictures import box_picture
from segadapt.base.classes import ClassSet
from segadapt.base.detections import Detections
from segadapt.base.errors import SegadaptError
from segadapt.data.paths import DataPath
from segadapt.data.transforms import read_image
from segadapt.engine.detect import detect_image
from segadapt.engine.predict import Predictor

FILE, PICTURES = "detections.json", "pictures"


def predict_boxes(predictor: Predictor, images: Mapping[str, DataPath], out: Path) -> None:
    """Write ``detections.json`` and ``pictures/`` below ``out``.

    The file is a list as COCO's results are, and their programs read it: ``image_id`` counts the
    images from 0 in the order of their names, ``category_id`` is the class id, ``bbox`` is left,
    top, width and height in pixels of the image's file; ``file_name`` and ``category`` are the
    names. Boxes of any score are in it, and those of 0.3 and above in the pictures.

    Raises:
        SegadaptError: an image cannot be read, or nothing can be written.
    """
    rows: list[dict[str, Any]] = []
    listed = track(images.items(), description="predict", transient=True)
    for number, (name, path) in enumerate(listed):
        image = read_image(path, None)
        found = detect_image(predictor, image)
        file = name + PurePosixPath(path.name).suffix
        rows += result_rows(number, file, found, predictor.classes)
        ids, scores = found.labels.tolist(), found.scores.tolist()
        picture = box_picture(image, found.boxes, ids, predictor.classes, scores)
        target = out / PICTURES / f"{name}.jpg"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.save(target, quality=90)
        except OSError as error:
            raise _unwritable(target, error) from error
    target = out / FILE
    try:
        target.write_text(strict_json(rows, indent=1) + "\n")
    except OSError as error:
        raise _unwritable(target, error) from error


def result_rows(
    number: int, file: str, found: Detections, classes: ClassSet
) -> list[dict[str, Any]]:
    """What was found in image ``number`` in the form of COCO's results."""
    columns = (found.boxes.tolist(), found.labels.tolist(), found.scores.tolist())
    return [
        {
            "image_id": number,
            "file_name": file,
            "category_id": label,
            "category": classes.names[label],
            "bbox": [left, top, right - left, bottom - top],
            "score": score,
        }
        for (left, top, right, bottom), label, score in zip(*columns, strict=True)
    ]


def _unwritable(target: Path, error: OSError) -> SegadaptError:
    return SegadaptError(f"{target}: cannot be written ({error}); what was written before stays")
