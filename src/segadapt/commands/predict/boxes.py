"""What a detector writes: boxes in COCO's form, and pictures of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from segadapt.artefacts import strict_json
from segadapt.base.box_pictures import box_picture
from segadapt.base.classes import ClassSet
from segadapt.base.detections import Detections
from segadapt.commands.predict.looks import Seen, saved, stacked, unwritable
from segadapt.engine.detect import in_file
from segadapt.engine.predict import Predictor

FILE, PICTURES = "detections.json", "pictures"


class Boxes:
    """Looks at pictures with a detector, see :class:`Looker`.

    ``detections.json`` is a list as COCO's results are, and their programs read it: ``image_id``
    counts the images from 0 in the order of their names, ``category_id`` is the class id, ``bbox``
    is left, top, width and height in pixels of the image's file; ``file_name`` and ``category`` are
    the names. Boxes of any score are in it, and those of 0.3 and above in the pictures.
    """

    outputs = (FILE, PICTURES)
    film_folder = PICTURES

    def __init__(self, predictor: Predictor, out: Path) -> None:
        self._predictor, self._out = predictor, out
        self._rows: list[list[dict[str, Any]]] = []
        self._lock = threading.Lock()

    def look(self, batch: Sequence[Seen]) -> list[Detections]:
        """See :class:`Looker`."""
        (images,) = stacked(batch)
        found = self._predictor.detections(images)
        return [
            in_file(one, seen.views[0].shape[:2], seen.original.shape[:2])
            for one, seen in zip(found, batch, strict=True)
        ]

    def write(self, seen: Seen, found: Detections, film: bool) -> None:
        """See :class:`Looker`."""
        rows = result_rows(seen.number, seen.file_name, found, self._predictor.classes)
        with self._lock:
            self._rows.append(rows)
        if not film:
            file = self._out / PICTURES / f"{seen.name}.jpg"
            saved(self.picture(seen, found), file, quality=90)

    def picture(self, seen: Seen, found: Detections) -> Image.Image:
        """See :class:`Looker`."""
        ids, scores = found.labels.tolist(), found.scores.tolist()
        return box_picture(seen.original, found.boxes, ids, self._predictor.classes, scores)

    def finish(self) -> None:
        """See :class:`Looker`."""
        rows = [row for rows in self._rows for row in rows]
        # Threads may have ended in another order than they began in.
        rows.sort(key=lambda row: row["image_id"])
        file = self._out / FILE
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(strict_json(rows, indent=1) + "\n")
        except OSError as error:
            raise unwritable(file, error) from error


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
