"""The ``class_prior`` stage: how often each class occurs in the source's labels."""

from __future__ import annotations

from segadapt.config.stage import LABELLED, Reference, Stage
from segadapt.config.values import Workers


class ClassPriorStage(Stage):
    """Count the classes of a source's labels once (ADVENT, Sec. 3.3)."""

    source: str
    """Labelled images."""
    workers: Workers = 2

    outputs = {"shares": "class_prior"}  # noqa: RUF012
    derived_from = "source"

    def references(self) -> list[Reference]:
        """The labelled source."""
        return [Reference("source", self.source, LABELLED, labelled=True)]
