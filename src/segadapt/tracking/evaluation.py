"""What an evaluation found, as trackers are told it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from segadapt.report.read import read_evaluation
from segadapt.report.records import Evaluation, Stage

REPORT_FILE = "report.json"


def scores_of(stage: str, folder: Path) -> dict[str, float]:
    """Scores as fractions by names such as ``evaluate/mIoU/advent``, and those of each class.

    Where target labels took part in a training, or labels of images that are scored, the name says
    so.
    """
    evaluation = _evaluation(stage, folder)
    measure, found = evaluation.measure, {}
    for score in evaluation.scores:
        title = f"{score.checkpoint} {score.mark}".strip()
        found[f"{stage}/{measure}/{title}"] = score.value
        for name, value in zip(evaluation.classes, score.iou, strict=False):
            found[f"{stage}/{measure} {title}/{name}"] = value
    return {name: value for name, value in found.items() if value is not None}


def pictures_of(stage: str, folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """The pictures that the report shows of it: images, truth, and what each checkpoint says."""
    evaluation = _evaluation(stage, folder)
    for number, picture in enumerate(evaluation.pictures):
        files = {"image": picture.image, "truth": picture.truth}
        for checkpoint, drawn in picture.predictions.items():
            files[checkpoint] = drawn.label or drawn.boxes
        for title, file in files.items():
            if file is not None:
                with Image.open(file) as opened:
                    yield f"{stage}/{number:03d}/{title}", opened.convert("RGB")


def _evaluation(stage: str, folder: Path) -> Evaluation:
    return read_evaluation(Stage(0, stage, folder, finished=True, kind="evaluate"))
