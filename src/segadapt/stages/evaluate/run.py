"""The ``evaluate`` stage: scores of checkpoints side by side, and pictures for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.transforms import resize_label
from segadapt.engine.evaluate import evaluate
from segadapt.engine.features import labelled_features, save_features
from segadapt.engine.predict import Predictor
from segadapt.metrics import ABSENT_RULE, Scores
from segadapt.stages.context import Work
from segadapt.stages.evaluate.boxes import run_boxes
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.evaluate.mistakes import save_mistakes
from segadapt.stages.evaluate.rows import (
    learned_from,
    models_of,
    score_row,
    shared_images,
)
from segadapt.stages.evaluate.saved import save_report
from segadapt.stages.evaluate.shown import evenly_spaced
from segadapt.stages.evaluate.snapshots import score_snapshots


def run(stage: EvaluateStage, work: Work) -> dict[str, Any]:
    """Score every checkpoint, and leave ``report.json`` and ``pictures/``."""
    domain = work.context.domain(stage.domain, labelled=True)
    if domain.classes.boxes:
        return run_boxes(stage, work, domain)

    def scored(predictor: Predictor, title: str) -> Scores:
        return evaluate(predictor, domain, stage.batch_size, work.processes, title, stage.workers)

    # An image that has one label shows nothing as a map; the mistakes are what to look at.
    whole = domain.classes.whole_image
    shown = 0 if whole or not work.processes.is_first else stage.pictures
    pictures = _inputs(domain, shown, work.directory)
    measure = "accuracy" if whole else "mIoU"
    shared = shared_images(stage, work)
    rows, mistakes = [], []
    for title, weights in models_of(stage).items():
        predictor = work.context.predictor(weights, work.processes, stage.views)
        scores = scored(predictor, f"{work.name}: {title}")
        row = {"checkpoint": title, **score_row(scores, predictor)}
        row |= learned_from(work, shared, weights, predictor)
        rows.append(row)
        if work.processes.is_first:
            value = scores.pixel_accuracy if whole else scores.miou
            mark = " (oracle)" if row["oracle"] else ""
            print(f"{work.name}: {title}: {measure} {100 * value:.2f}{mark}", flush=True)
            if whole:
                number, batch_size = 2 * stage.pictures, stage.batch_size
                mistakes.append(
                    save_mistakes(title, predictor, domain, number, batch_size, work.directory)
                )
            for picture in pictures:
                _add_prediction(picture, title, predictor, domain, work.directory)
            if stage.features and len(weights) == 1:
                found = labelled_features(predictor, domain, stage.features)
                save_features(work.directory / "features" / f"{title}.npz", *found)
    selections = [
        score_snapshots(reference, stage, work, lambda x, title: _both(scored(x, title)))
        for reference in stage.selections
    ]
    save_report(stage, work, domain, measure, ABSENT_RULE, rows, selections, mistakes, pictures)
    key = "pixel_accuracy" if whole else "miou"
    return {measure.lower(): {row["checkpoint"]: row[key] for row in rows}}


def _both(scores: Scores) -> dict[str, float]:
    return {"miou": scores.miou, "pixel_accuracy": scores.pixel_accuracy}


def _inputs(domain: Domain, number: int, directory: Path) -> list[dict[str, Any]]:
    """Write input and truth of evenly spaced images."""
    pictures = []
    for position, index in enumerate(evenly_spaced(len(domain), number)):
        folder = directory / "pictures" / f"{position:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        image = domain.image(index)
        truth = resize_label(domain.label(index), image.shape[:2])  # type: ignore[arg-type]
        save_jpeg(image, folder / "image.jpg")
        label_picture(truth, domain.classes).save(folder / "truth.png")
        pictures.append(
            {
                "index": index,
                "name": domain.samples[index].name,
                "image": f"pictures/{position:03d}/image.jpg",
                "truth": f"pictures/{position:03d}/truth.png",
                "predictions": {},
            }
        )
    return pictures


def _add_prediction(
    picture: dict[str, Any], title: str, predictor: Predictor, domain: Domain, directory: Path
) -> None:
    image = domain.image(picture["index"])
    prediction = predictor.predict(image)
    folder = Path(picture["image"]).parent
    label, entropy = folder / f"{title}.label.png", folder / f"{title}.entropy.png"
    label_picture(prediction.label, domain.classes).save(directory / label)
    entropy_picture(prediction.entropy).save(directory / entropy)
    files: dict[str, Any] = {"label": label.as_posix(), "entropy": entropy.as_posix()}
    views = predictor.two_views(image)
    if views is not None:
        maps = {"distance": views.distance}
        maps |= {f"attention-{k}": map_ for k, map_ in enumerate(views.attention, start=1)}
        for key, values in maps.items():
            entropy_picture(values).save(directory / folder / f"{title}.{key}.png")
        files["two_views"] = {key: (folder / f"{title}.{key}.png").as_posix() for key in maps}
    picture["predictions"][title] = files
