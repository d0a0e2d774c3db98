"""Stages that choose and score models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from segadapt.config.splitting import Views
from segadapt.config.values import Positive, Weights, Workers
from segadapt.section import Section


class SelectStage(Section):
    """Choose one of a training stage's snapshots without target labels."""

    stage: Literal["select"]
    snapshots: str
    images: str
    """Target images that the label-free scores look at."""
    source: str | None = None
    """Labelled source images that were not trained on, for ``source_miou``."""
    score: Literal[
        "mean_entropy", "information_maximisation", "soft_neighbourhood_density", "source_miou"
    ] = "information_maximisation"
    batch_size: Positive = 4
    workers: Workers = 2

    @model_validator(mode="after")
    def _has_source(self) -> SelectStage:
        if self.score == "source_miou" and self.source is None:
            raise ValueError("score source_miou needs `source`, labelled source images")
        return self


class EvaluateStage(Section):
    """Score checkpoints on a labelled domain."""

    stage: Literal["evaluate"]
    checkpoints: list[str] = Field(min_length=1)
    ensembles: dict[str, Weights] = Field(default_factory=dict)
    """By title: checkpoints with the weights that their score maps are averaged with."""
    selections: list[str] = Field(default_factory=list)
    """Selections whose snapshots are all scored: last, label-free and oracle choice."""
    domain: str
    views: Views = Views()
    batch_size: Positive = 4
    workers: Workers = 2
    pictures: Annotated[int, Field(ge=0)] = 6
    features: Annotated[int, Field(ge=0)] = 0
    """Pixels of each class whose features are kept of every checkpoint, for a t-SNE picture in the
    report (with scikit-learn, extra ``plots``)."""
