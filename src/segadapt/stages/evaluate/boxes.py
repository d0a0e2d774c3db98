"""The ``evaluate`` stage where images have boxes: AP, pictures, and mistakes of detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segadapt.base.box_pictures import NO_CLASS, box_picture
from segadapt.base.detections import Detections
from segadapt.base.pictures import save_jpeg
from segadapt.data.domain import Domain
from segadapt.engine.detect import Found, detect, scores_of
from segadapt.engine.predict import Predictor
from segadapt.metrics_boxes import ABSENT_RULE, require_box_scores
from segadapt.stages.context import Work
from segadapt.stages.evaluate.box_mistakes import save_box_mistakes
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.evaluate.rows import (
    learned_from,
    models_of,
    score_row,
    shared_images,
)
from segadapt.stages.evaluate.saved import save_report
from segadapt.stages.evaluate.shown import evenly_spaced
from segadapt.stages.evaluate.snapshots import score_snapshots

MEASURE = "AP50"


def run_boxes(stage: EvaluateStage, work: Work, domain: Domain) -> dict[str, Any]:
    """Score every detector, and leave ``report.json``, ``pictures/`` and ``mistakes/``."""
    require_box_scores()
    number = len(domain.classes.names)
    pictures = _inputs(domain, stage.pictures if work.processes.is_first else 0, work.directory)
    shared = shared_images(stage, work)
    rows, mistakes = [], []

    def found_by(predictor: Predictor, title: str) -> list[Found]:
        return detect(predictor, domain, stage.batch_size, work.processes, title, stage.workers)

    def snapshot_scores(predictor: Predictor, title: str) -> dict[str, float]:
        scores = scores_of(found_by(predictor, title), number)
        return {"ap50": scores.ap50, "map": scores.map}

    for title, weights in models_of(stage).items():
        predictor = work.context.predictor(weights, work.processes, stage.views)
        called = f"{work.name}: {title}"
        found = found_by(predictor, called)
        scores = scores_of(found, number)
        row = {"checkpoint": title, **score_row(scores, predictor)}
        row |= learned_from(work, shared, weights, predictor)
        rows.append(row)
        if work.processes.is_first:
            mark = " (oracle)" if row["oracle"] else ""
            print(f"{called}: {MEASURE} {100 * scores.ap50:.1f}{mark}", flush=True)
            mistakes.append(
                save_box_mistakes(title, found, domain, 2 * stage.pictures, work.directory)
            )
            for picture in pictures:
                one = found[picture["index"]].detections
                _add_detections(picture, title, one, domain, work.directory)
    selections = [score_snapshots(x, stage, work, snapshot_scores) for x in stage.selections]
    save_report(stage, work, domain, MEASURE, ABSENT_RULE, rows, selections, mistakes, pictures)
    return {MEASURE.lower(): {row["checkpoint"]: row["ap50"] for row in rows}}


def _inputs(domain: Domain, number: int, directory: Path) -> list[dict[str, Any]]:
    """Write input and true boxes of evenly spaced images."""
    pictures = []
    for position, index in enumerate(evenly_spaced(len(domain), number)):
        folder = Path("pictures") / f"{position:03d}"
        (directory / folder).mkdir(parents=True, exist_ok=True)
        image, truth = domain.original(index), domain.label(index)
        # Without boxes, and of the same size as those with them.
        plain = box_picture(image, (), (), domain.classes)
        save_jpeg(np.asarray(plain), directory / folder / "image.jpg")
        drawn = box_picture(image, truth[:, :4], drawn_ids(truth), domain.classes)
        save_jpeg(np.asarray(drawn), directory / folder / "truth.jpg")
        pictures.append(
            {
                "index": index,
                "name": domain.samples[index].name,
                "image": (folder / "image.jpg").as_posix(),
                "truth": (folder / "truth.jpg").as_posix(),
                "predictions": {},
            }
        )
    return pictures


def drawn_ids(truth: NDArray[np.float32]) -> list[int]:
    """Class ids of boxes (M, 6); 255 of those that are ignored."""
    return [NO_CLASS if row[5] else int(row[4]) for row in truth]


def _add_detections(
    picture: dict[str, Any], title: str, one: Detections, domain: Domain, directory: Path
) -> None:
    file = Path(picture["image"]).parent / f"{title}.boxes.jpg"
    image = domain.original(picture["index"])
    drawn = box_picture(image, one.boxes, one.labels.tolist(), domain.classes, one.scores.tolist())
    save_jpeg(np.asarray(drawn), directory / file)
    picture["predictions"][title] = {"boxes": file.as_posix()}
