"""The ``train_translator`` stage: CycleGAN between the source and the target."""

from __future__ import annotations

from pydantic import model_validator

from segadapt.config.stage import IMAGES, Reference, Stage
from segadapt.config.translation import CycleGANConfig, TranslatorOptimizer
from segadapt.config.values import BatchSize, Positive, Workers


class TrainTranslatorStage(CycleGANConfig, Stage):
    """Train CycleGAN between source and target (CIRN, stage 1; CyCADA, pixel level)."""

    source: str
    """Images to translate; labels are opened by ``semantic_answer`` alone."""
    target: str
    """Images whose look is taken."""
    segmenter: str | None = None
    """A checkpoint trained on the source, for semantic consistency; none without it."""
    iterations: Positive
    """Steps of the training."""
    batch_size: BatchSize = 1
    """Images of each domain per step, over all processes."""
    optimizer: TranslatorOptimizer = TranslatorOptimizer()
    sheets: Positive = 8
    """Evenly spaced iterations at which a sheet of samples is kept, the last one included."""
    save_every: Positive = 500
    """Iterations between two saved states, from which a stopped run goes on."""
    log_every: Positive = 20
    """Iterations between two lines of ``metrics.jsonl``."""
    workers: Workers = 2

    outputs = {"translator": "translator"}  # noqa: RUF012
    without_effect = Stage.without_effect | {"sheets"}

    @model_validator(mode="after")
    def _has_segmenter_for_its_settings(self) -> TrainTranslatorStage:
        fields = type(self).model_fields
        given = {
            key
            for key in ("lambda_sem", "semantic_answer")
            if getattr(self, key) != fields[key].default
        }
        if given and self.segmenter is None:
            raise ValueError(f"{', '.join(sorted(given))} says nothing without `segmenter`")
        return self

    @property
    def reads_labels(self) -> bool:
        """Whether the source's labels are opened, as the answers of the semantic loss."""
        return self.segmenter is not None and self.semantic_answer != "predictions"

    def references(self) -> list[Reference]:
        """Both domains, and the segmenter; its classes matter where labels are its answers."""
        reads = self.reads_labels
        kinds = ("source", "labels", "indexed_labels")
        found = [
            Reference("source", self.source, kinds, reads, same_classes=reads, shown=False),
            Reference("target", self.target, IMAGES, same_classes=False, shown=False),
        ]
        if self.segmenter is not None:
            found.append(
                Reference("segmenter", self.segmenter, ("checkpoint",), same_classes=reads)
            )
        return found
