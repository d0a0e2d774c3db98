"""The ``select`` stage: choose among a training stage's snapshots without target labels."""

from __future__ import annotations

import shutil
from typing import Any

from segadapt.artefacts import CHECKPOINT_FILE, Selection, Snapshot, snapshot_files
from segadapt.data.domain import Domain
from segadapt.engine.detect import detect, scores_of
from segadapt.engine.evaluate import evaluate
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.engine.predict import Predictor
from segadapt.models.files.checkpoints import load_checkpoint
from segadapt.selection.label_free import LabelFreeScores, label_free_scores
from segadapt.stages.context import Work
from segadapt.stages.select.config import SelectStage


def run(stage: SelectStage, work: Work) -> dict[str, Any]:
    """Score every snapshot; leave ``selection.json`` and the chosen ``checkpoint.safetensors``."""
    target = work.context.domain(stage.images, labelled=False)
    source = work.context.domain(stage.source, labelled=True) if stage.source is not None else None
    trained, _, output = stage.snapshots.partition(".")
    files = snapshot_files(work.context.stage_directory(trained), output)
    found = []
    for iteration, file in files.items():
        predictor = Predictor(load_checkpoint(file), work.processes)
        title = f"{work.name}: {trained} {iteration}"
        scores = _label_free(stage, predictor, target, work.processes, title)
        if source is not None:
            scores |= _on_source(stage, predictor, source, work.processes, f"{title} on source")
        found.append(Snapshot(iteration, scores))
    # Equal scores: the later one, which was trained longer.
    best = max(reversed(found), key=lambda snapshot: snapshot.scores[stage.score])
    if work.processes.is_first:
        partial = work.directory / (CHECKPOINT_FILE + ".partial")
        shutil.copyfile(files[best.iteration], partial)
        partial.replace(work.directory / CHECKPOINT_FILE)
        chosen = Selection(trained, stage.score, best.iteration, tuple(found), output)
        chosen.save(work.directory)
        print(f"{work.name}: iteration {best.iteration} by {stage.score}", flush=True)
    work.processes.barrier()
    return {"chosen": best.iteration, "score": stage.score}


def _on_source(
    stage: SelectStage, predictor: Predictor, source: Domain, processes: Processes, title: str
) -> dict[str, float]:
    if source.classes.boxes:
        found = detect(predictor, source, stage.batch_size, processes, title, stage.workers)
        return {"source_ap50": scores_of(found, len(source.classes.names)).ap50}
    scores = evaluate(predictor, source, stage.batch_size, processes, title, stage.workers)
    return {"source_miou": scores.miou}


def _label_free(
    stage: SelectStage, predictor: Predictor, target: Domain, processes: Processes, title: str
) -> dict[str, float]:
    """Label-free scores at network resolution, or over all anchors of a detector."""
    # Of boxes the background is a class too.
    number = len(target.classes.names) + (1 if target.classes.boxes else 0)
    sums = LabelFreeScores(number, processes.device)
    batches = looked_at(target, processes, stage.batch_size, stage.workers)
    for batch in progress(batches, title, len(target), processes):
        sums.update(predictor.place_probability(batch.image))
    found = label_free_scores(processes.sum(sums.sums()))
    if target.classes.whole_image:  # it compares pixels, and there is one
        del found["soft_neighbourhood_density"]
    return {str(score): value for score, value in found.items()}
