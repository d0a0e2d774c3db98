"""What an evaluation scores, and what that was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from segadapt.engine.predict import Predictor
from segadapt.metrics import Scores
from segadapt.metrics_boxes import BoxScores
from segadapt.stages.context import Work
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.lineage import is_oracle, labels_behind_stage, scored_and_learned


def models_of(stage: EvaluateStage) -> dict[str, dict[str, float]]:
    """What is scored, by title: single checkpoints, then ensembles."""
    single = {reference.partition(".")[0]: {reference: 1.0} for reference in stage.checkpoints}
    return single | stage.ensembles


def shared_images(stage: EvaluateStage, work: Work) -> dict[str, list[str]]:
    """Names of images that are scored, by the domain that they are trained on as."""
    stages = {
        reference.partition(".")[0] for models in models_of(stage).values() for reference in models
    }
    return scored_and_learned(work.context, stage.domain, stages)


def learned_from(
    work: Work, shared: Mapping[str, list[str]], models: Iterable[str], predictor: Predictor
) -> dict[str, Any]:
    """Whether target labels, or those of images that are scored, took part in the training.

    ``shared``: see :func:`shared_images`.
    """
    names = [reference.partition(".")[0] for reference in models]
    learned = {domain for name in names for domain in labels_behind_stage(work.context, name)}
    seen = {image for domain in learned for image in shared.get(domain, ())}
    oracle = predictor.oracle or any(is_oracle(work.context, name) for name in names)
    return {"oracle": oracle or bool(seen), "scored_and_trained_on": len(seen)}


def score_row(scores: Scores | BoxScores, predictor: Predictor) -> dict[str, Any]:
    """Scores in the form that reports and ``evaluate --json`` hold."""
    return {"oracle": predictor.oracle, **asdict(scores)}
