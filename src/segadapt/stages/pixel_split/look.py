"""Passes over the images of a domain with one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from segadapt.config.views import Views
from segadapt.data.domain import Domain
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.split.confidence_histogram import ConfidenceHistogram
from segadapt.split.pixel_split import EasinessHistogram, easiness
from segadapt.stages.context import Work
from segadapt.stages.pixel_split.config import PixelSplitStage
from segadapt.stages.pixel_split.kept_scores import KeptScores, Scored
from segadapt.stages.pixel_split.rules import InstanceSelection
from segadapt.tasks.enlarged import Enlarged

SMALLER = 4
"""How many times fewer places than pixels scores must have to be kept."""


class Look:
    """The first pass shows each image to the model; those after it read what was kept of that."""

    def __init__(self, stage: PixelSplitStage, work: Work, domain: Domain) -> None:
        self._name, self._stage, self._domain = work.name, stage, domain
        self.processes = work.processes
        self._predictor = work.context.predictor(stage.checkpoint, work.processes, stage.views)
        self.num_classes = len(domain.classes.names)
        self._enlarged = Enlarged()
        self._kept = KeptScores(work.directory, work.processes)
        # A rule that goes from image to image has one pass.
        self._one_pass = isinstance(stage.selection, InstanceSelection)
        self._keeps = stage.views == Views() and not self._one_pass

    def read(
        self, purpose: str, read: Callable[[Tensor], Sequence[Tensor]]
    ) -> Iterator[tuple[int, list[Tensor]]]:
        """(index, maps (1, H, W)) of this process's images.

        ``read`` gives the maps of probabilities (1, C, rows, W) at network input size; see
        :meth:`segadapt.tasks.enlarged.Enlarged.read`.
        """
        title = f"{self._name} ({purpose})"
        images = len(self._domain)
        for scored in progress(self._scored(), title, images, self.processes):
            yield scored.number, self._enlarged.read(scored.logits, scored.size, read)

    def _scored(self) -> Iterator[Scored]:
        # Images of other sizes would change places within a batch.
        batch_size = 1 if self._one_pass else self._stage.batch_size
        share = (self.processes.rank, self.processes.count)
        done = self._kept.indices()
        for index in sorted(done)[share[0] :: share[1]]:
            yield self._kept.read(index)
        batches = looked_at(
            self._domain,
            self.processes,
            batch_size,
            self._stage.workers,
            scales=self._predictor.scales,
            without=done,
        )
        for batch in batches:
            height, width = batch.image.shape[1:3]
            for row, index in enumerate(batch.indices):
                logits = self._predictor.logits(*batch.alone(row))
                scored = Scored(index, logits, (height, width))
                if self._keeps and _is_small(logits, (height, width)):
                    self._kept.keep(scored)
                yield scored

    def confidences(self) -> ConfidenceHistogram:
        """Largest probabilities by predicted class, over all images and processes."""
        histogram = ConfidenceHistogram(self.num_classes)
        for _, (confidence, label) in self.read("thresholds", lambda p: p.max(dim=1)):
            histogram.add(confidence, label)
        return self._summed(histogram)

    def easiness(self, thresholds: list[float]) -> EasinessHistogram:
        """How easy pixels are, over all images and processes."""
        found = EasinessHistogram()
        for _, (easy,) in self.read("alpha", lambda p: (easiness(p, thresholds),)):
            found.add(easy)
        self._summed(found.histogram)
        return found

    def close(self) -> None:
        """All labels are written."""
        self._kept.remove()

    def _summed(self, histogram: ConfidenceHistogram) -> ConfidenceHistogram:
        total = self.processes.sum(histogram.counts.to(self.processes.device))
        histogram.counts = total.cpu()
        return histogram


def _is_small(logits: Tensor, size: tuple[int, int]) -> bool:
    """Whether scores are of a network's own resolution.

    Those of several views, or of an image that was padded, are as large as the image: sixty times
    the room, and on a GPU no faster read than made again.
    """
    return logits.shape[-2] * logits.shape[-1] <= size[0] * size[1] / SMALLER
