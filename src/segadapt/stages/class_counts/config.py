"""The ``class_counts`` stage: which image shows how much of which class."""

from __future__ import annotations

from segadapt.config.stage import LABELLED, Reference, Stage
from segadapt.config.values import Workers


class ClassCountsStage(Stage):
    """Count the labelled pixels of every image by class, for rare class sampling (DAFormer)."""

    source: str
    """Labelled images."""
    workers: Workers = 2

    outputs = {"counts": "class_counts"}  # noqa: RUF012
    derived_from = "source"

    def references(self) -> list[Reference]:
        """The labelled source."""
        return [Reference("source", self.source, LABELLED, labelled=True)]
