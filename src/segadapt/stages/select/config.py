"""The ``select`` stage: choose among a training's snapshots without target labels."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.values import BatchSize, Workers


class SelectStage(Stage):
    """Choose one of a training stage's snapshots without target labels."""

    snapshots: str
    """Those of a training stage, as ``advent.snapshots``."""
    images: str
    """Target images that the label-free scores look at."""
    source: str | None = None
    """Labelled source images that were not trained on, for ``source_miou`` or ``source_ap50``."""
    score: Literal[
        "mean_entropy",
        "information_maximisation",
        "soft_neighbourhood_density",
        "source_miou",
        "source_ap50",
    ] = "information_maximisation"
    """By which the best one is taken."""
    batch_size: BatchSize = 4
    """Images that the networks look at together; on a CPU it is one at a time."""
    workers: Workers = 2

    outputs = {"checkpoint": "checkpoint", "selection": "selection"}  # noqa: RUF012
    derived_from = "snapshots"

    @model_validator(mode="after")
    def _has_source(self) -> SelectStage:
        if self.score in ("source_miou", "source_ap50") and self.source is None:
            raise ValueError(f"score {self.score} needs `source`, labelled source images")
        return self

    def references(self) -> list[Reference]:
        """The snapshots, and the images that they are tried on."""
        found = [
            Reference("snapshots", self.snapshots, ("snapshots",)),
            Reference("images", self.images, IMAGES),
        ]
        if self.source is not None:
            found.append(Reference("source", self.source, ("source",), labelled=True))
        return found
