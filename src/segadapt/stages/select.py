"""The ``select`` stage: choose among a training stage's snapshots without target labels."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from segadapt.artefacts import CHECKPOINT_FILE, Selection, Snapshot, snapshot_file
from segadapt.config import SelectStage, TrainStage
from segadapt.data.domain import Domain
from segadapt.data.loader import inference_batches
from segadapt.engine.evaluate import evaluate
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.predict import Predictor
from segadapt.models.checkpoints import load_checkpoint
from segadapt.selection.label_free import LabelFreeScores, label_free_scores
from segadapt.stages.context import StageContext
from segadapt.stages.train import snapshot_iterations


def run(
    name: str, config: SelectStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Score every snapshot; leave ``selection.json`` and the chosen ``checkpoint.safetensors``."""
    target = context.domain(config.images, labelled=False)
    source = context.domain(config.source, labelled=True) if config.source is not None else None
    trained = config.snapshots.partition(".")[0]
    stage = context.recipe.stages[trained]
    assert isinstance(stage, TrainStage)
    folder = context.stage_directory(trained)
    found = []
    for iteration in snapshot_iterations(stage):
        predictor = Predictor(load_checkpoint(snapshot_file(folder, iteration)), processes)
        title = f"{name}: {trained} {iteration}"
        scores = _label_free(config, predictor, target, processes, title)
        if source is not None:
            on_source = evaluate(
                predictor,
                source,
                config.batch_size,
                processes,
                f"{title} on source",
                config.workers,
            )
            scores["source_miou"] = on_source.miou
        found.append(Snapshot(iteration, scores))
    # Equal scores: the later one, which was trained longer.
    best = max(reversed(found), key=lambda snapshot: snapshot.scores[config.score])
    if processes.is_first:
        partial = directory / (CHECKPOINT_FILE + ".partial")
        shutil.copyfile(snapshot_file(folder, best.iteration), partial)
        partial.replace(directory / CHECKPOINT_FILE)
        Selection(trained, config.score, best.iteration, tuple(found)).save(directory)
        print(f"{name}: iteration {best.iteration} by {config.score}", flush=True)
    processes.barrier()
    return {"chosen": best.iteration, "score": config.score}


def _label_free(
    config: SelectStage, predictor: Predictor, target: Domain, processes: Processes, title: str
) -> dict[str, float]:
    """Label-free scores at network resolution."""
    sums = LabelFreeScores(len(target.classes.names), processes.device)
    share = (processes.rank, processes.count)
    batches = inference_batches(target, config.batch_size, share, config.workers)
    for batch in progress(batches, title, len(target), processes):
        sums.update(predictor.logits(batch.image).softmax(dim=1))
    found = label_free_scores(processes.sum(sums.sums()))
    if target.classes.whole_image:  # it compares pixels, and there is one
        del found["soft_neighbourhood_density"]
    return {str(score): value for score, value in found.items()}
