"""Snapshots that a selection chose from, scored with the labels of a domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from segadapt.artefacts import snapshot_file
from segadapt.engine.predict import Predictor
from segadapt.models.files.checkpoints import load_checkpoint
from segadapt.stages.context import Work
from segadapt.stages.evaluate.config import EvaluateStage


def score_snapshots(
    reference: str,
    stage: EvaluateStage,
    work: Work,
    score: Callable[[Predictor, str], dict[str, float]],
) -> dict[str, Any]:
    """Scores of every snapshot that a selection chose from, beside its label-free scores.

    The labels that are read here show what the choice was worth; they have no part in it.
    ``score`` gives scores by their keys, of a model and what to call it while it is at work.
    """
    selection = work.context.selection(reference)
    folder = work.context.stage_directory(selection.trained)
    rows = []
    for snapshot in selection.snapshots:
        trained = load_checkpoint(snapshot_file(folder, snapshot.iteration, selection.output))
        predictor = Predictor(trained, work.processes, stage.views)
        title = f"{work.name}: {selection.trained} {snapshot.iteration}"
        rows.append({**asdict(snapshot), **score(predictor, title)})
    return {
        "trained": selection.trained,
        "output": selection.output,
        "score": selection.score,
        "chosen": selection.chosen,
        "snapshots": rows,
    }
