"""The ``evaluate`` stage: scores of checkpoints side by side, and pictures for the report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from segadapt.artefacts import snapshot_file, write_json
from segadapt.config import EvaluateStage
from segadapt.data.domain import Domain
from segadapt.data.transforms import resize_label
from segadapt.engine.evaluate import evaluate
from segadapt.engine.fabric import Processes
from segadapt.engine.features import labelled_features, save_features
from segadapt.engine.predict import Predictor
from segadapt.metrics import ABSENT_RULE, Scores
from segadapt.models.checkpoints import load_checkpoint
from segadapt.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.stages.context import StageContext
from segadapt.stages.mistakes import save_mistakes

REPORT_FILE = "report.json"


def run(
    name: str, config: EvaluateStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Score every checkpoint, and leave ``report.json`` and ``pictures/``."""
    domain = context.domain(config.domain, labelled=True)
    # An image that has one label shows nothing as a map; the mistakes are what to look at.
    whole = domain.classes.whole_image
    shown = 0 if whole or not processes.is_first else config.pictures
    pictures = _inputs(domain, shown, directory)
    measure = "accuracy" if whole else "mIoU"
    rows, mistakes = [], []
    for title, weights in _rows(config).items():
        predictor = context.predictor(weights, processes, config.views)
        scores = evaluate(
            predictor, domain, config.batch_size, processes, f"{name}: {title}", config.workers
        )
        rows.append({"checkpoint": title, **score_row(scores, predictor)})
        if processes.is_first:
            value = scores.pixel_accuracy if whole else scores.miou
            print(f"{name}: {title}: {measure} {100 * value:.2f}", flush=True)
            if whole:
                number, batch_size = 2 * config.pictures, config.batch_size
                mistakes.append(
                    save_mistakes(title, predictor, domain, number, batch_size, directory)
                )
            for picture in pictures:
                _add_prediction(picture, title, predictor, domain, directory)
            if config.features and len(weights) == 1:
                found = labelled_features(predictor, domain, config.features)
                save_features(directory / "features" / f"{title}.npz", *found)
    selections = [
        _score_snapshots(name, reference, config, context, domain, processes)
        for reference in config.selections
    ]
    if processes.is_first:
        dataset = context.recipe.domains[config.domain]
        write_json(
            directory / REPORT_FILE,
            {
                "domain": f"{dataset.dataset} {dataset.split}",
                "views": config.views.model_dump(mode="json"),
                "images": len(domain),
                "classes": domain.classes.names,
                "colours": domain.classes.colours,
                "absent_rule": ABSENT_RULE,
                "measure": measure,
                "scores": rows,
                "selections": selections,
                "mistakes": mistakes,
                "pictures": [{k: v for k, v in p.items() if k != "index"} for p in pictures],
            },
        )
    processes.barrier()
    key = "pixel_accuracy" if whole else "miou"
    return {measure.lower(): {row["checkpoint"]: row[key] for row in rows}}


def score_row(scores: Scores, predictor: Predictor) -> dict[str, Any]:
    """Scores in the form that reports and ``evaluate --json`` hold."""
    return {"oracle": predictor.oracle, **asdict(scores)}


def _rows(config: EvaluateStage) -> dict[str, dict[str, float]]:
    """What is scored, by title: single checkpoints, then ensembles."""
    single = {reference.partition(".")[0]: {reference: 1.0} for reference in config.checkpoints}
    return single | config.ensembles


def _score_snapshots(
    name: str,
    reference: str,
    config: EvaluateStage,
    context: StageContext,
    domain: Domain,
    processes: Processes,
) -> dict[str, Any]:
    """mIoU of every snapshot that a selection chose from, beside its label-free scores.

    The labels that are read here show what the choice was worth; they have no part in it.
    """
    selection = context.selection(reference)
    folder = context.stage_directory(selection.trained)
    rows = []
    for snapshot in selection.snapshots:
        trained = load_checkpoint(snapshot_file(folder, snapshot.iteration))
        predictor = Predictor(trained, processes, config.views)
        title = f"{name}: {selection.trained} {snapshot.iteration}"
        scores = evaluate(predictor, domain, config.batch_size, processes, title, config.workers)
        both = {"miou": scores.miou, "pixel_accuracy": scores.pixel_accuracy}
        rows.append({**asdict(snapshot), **both})
    return {
        "trained": selection.trained,
        "score": selection.score,
        "chosen": selection.chosen,
        "snapshots": rows,
    }


def _inputs(domain: Domain, number: int, directory: Path) -> list[dict[str, Any]]:
    """Write input and truth of evenly spaced images."""
    count = len(domain)
    chosen = sorted({round(i) for i in np.linspace(0, count - 1, min(number, count) + 2)[1:-1]})
    pictures = []
    for position, index in enumerate(chosen):
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
