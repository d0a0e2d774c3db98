"""The ``evaluate`` stage: scores of checkpoints side by side, and pictures for the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from segadapt.artefacts import snapshot_file, write_json
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.transforms import resize_label
from segadapt.engine.evaluate import evaluate
from segadapt.engine.features import labelled_features, save_features
from segadapt.engine.predict import Predictor
from segadapt.metrics import ABSENT_RULE, Scores
from segadapt.models.files.checkpoints import load_checkpoint
from segadapt.stages.context import Work
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.evaluate.mistakes import save_mistakes
from segadapt.stages.lineage import is_oracle, labels_behind_stage, scored_and_learned

REPORT_FILE = "report.json"


def run(stage: EvaluateStage, work: Work) -> dict[str, Any]:
    """Score every checkpoint, and leave ``report.json`` and ``pictures/``."""
    domain = work.context.domain(stage.domain, labelled=True)
    # An image that has one label shows nothing as a map; the mistakes are what to look at.
    whole = domain.classes.whole_image
    shown = 0 if whole or not work.processes.is_first else stage.pictures
    pictures = _inputs(domain, shown, work.directory)
    measure = "accuracy" if whole else "mIoU"
    stages = {
        reference.partition(".")[0] for models in _rows(stage).values() for reference in models
    }
    shared = scored_and_learned(work.context, stage.domain, stages)
    rows, mistakes = [], []
    for title, weights in _rows(stage).items():
        predictor = work.context.predictor(weights, work.processes, stage.views)
        scores = evaluate(
            predictor,
            domain,
            stage.batch_size,
            work.processes,
            f"{work.name}: {title}",
            stage.workers,
        )
        row = {"checkpoint": title, **score_row(scores, predictor)}
        row |= _learned_from(work, shared, weights, predictor)
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
        _score_snapshots(reference, stage, work, domain) for reference in stage.selections
    ]
    if work.processes.is_first:
        write_json(
            work.directory / REPORT_FILE,
            {
                "domain": work.context.recipe.domains[stage.domain].title,
                "views": stage.views.model_dump(mode="json"),
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
    work.processes.barrier()
    key = "pixel_accuracy" if whole else "miou"
    return {measure.lower(): {row["checkpoint"]: row[key] for row in rows}}


def score_row(scores: Scores, predictor: Predictor) -> dict[str, Any]:
    """Scores in the form that reports and ``evaluate --json`` hold."""
    return {"oracle": predictor.oracle, **asdict(scores)}


def _learned_from(
    work: Work, shared: Mapping[str, list[str]], models: Iterable[str], predictor: Predictor
) -> dict[str, Any]:
    """Whether target labels, or those of images that are scored, took part in the training.

    ``shared`` has names of images that are scored, by the domain that they are trained on as.
    """
    names = [reference.partition(".")[0] for reference in models]
    learned = {domain for name in names for domain in labels_behind_stage(work.context, name)}
    seen = {image for domain in learned for image in shared.get(domain, ())}
    oracle = predictor.oracle or any(is_oracle(work.context, name) for name in names)
    return {"oracle": oracle or bool(seen), "scored_and_trained_on": len(seen)}


def _rows(stage: EvaluateStage) -> dict[str, dict[str, float]]:
    """What is scored, by title: single checkpoints, then ensembles."""
    single = {reference.partition(".")[0]: {reference: 1.0} for reference in stage.checkpoints}
    return single | stage.ensembles


def _score_snapshots(
    reference: str, stage: EvaluateStage, work: Work, domain: Domain
) -> dict[str, Any]:
    """mIoU of every snapshot that a selection chose from, beside its label-free scores.

    The labels that are read here show what the choice was worth; they have no part in it.
    """
    selection = work.context.selection(reference)
    folder = work.context.stage_directory(selection.trained)
    rows = []
    for snapshot in selection.snapshots:
        trained = load_checkpoint(snapshot_file(folder, snapshot.iteration, selection.output))
        predictor = Predictor(trained, work.processes, stage.views)
        title = f"{work.name}: {selection.trained} {snapshot.iteration}"
        scores = evaluate(predictor, domain, stage.batch_size, work.processes, title, stage.workers)
        both = {"miou": scores.miou, "pixel_accuracy": scores.pixel_accuracy}
        rows.append({**asdict(snapshot), **both})
    return {
        "trained": selection.trained,
        "output": selection.output,
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
