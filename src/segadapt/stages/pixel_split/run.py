"""The ``pixel_split`` stage: easy pixels get labels, hard ones an index (PixIntraDA, Sec. 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segadapt.artefacts import LabelSet, PixelSplit
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.loader import inference_batches
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.predict import Predictor
from segadapt.losses.segmentation import IGNORE
from segadapt.split.confidence_histogram import ConfidenceHistogram
from segadapt.split.instance_adaptive import confident_label, updated_thresholds
from segadapt.split.pixel_split import (
    EasinessHistogram,
    balanced_label,
    balanced_thresholds,
    class_thresholds,
    domain_index,
    easiness,
    partial_label,
)
from segadapt.stages.context import Work
from segadapt.stages.pixel_split.config import PixelSplitStage
from segadapt.stages.pixel_split.rules import InstanceSelection, MedianSelection

Label = Callable[[Tensor], Tensor]
"""(1, C, H, W) probabilities -> (1, H, W) pseudo-labels, 255 at hard pixels."""
TOLERANCE = 0.01
"""Difference from the wanted share of easy pixels that is told."""
FIRST_THRESHOLD = 0.9
"""Of every class before the first image, where thresholds move from image to image (IAST)."""


def run(stage: PixelSplitStage, work: Work) -> dict[str, Any]:
    """Leave ``labels.json``, ``labels/``, ``domain_index/``, ``pixel_split.json`` and a gallery."""
    domain = work.context.domain(stage.images, labelled=False)
    look = _Look(
        work.name,
        stage,
        domain,
        work.context.predictor(stage.checkpoint, work.processes, stage.views),
        work.processes,
    )
    selection = stage.selection
    written = _Written(work.directory, domain)
    alpha: float | None = None
    if isinstance(selection, InstanceSelection):
        thresholds = _label_one_after_the_other(look, selection, written)
    else:
        histogram = look.confidences()
        if isinstance(selection, MedianSelection):
            thresholds = class_thresholds(histogram, selection.cap)
            alpha = selection.alpha or 1.0
            if selection.proportion is not None:
                alpha = look.easiness(thresholds).alpha(selection.proportion)
            for index, probability in look.probabilities("labels"):
                written.add(index, probability, partial_label(probability, thresholds, alpha))
        else:
            thresholds = balanced_thresholds(histogram, selection.portion)
            for index, probability in look.probabilities("labels"):
                written.add(index, probability, balanced_label(probability, thresholds))
    split = written.split(selection.rule, alpha, thresholds, work.processes)
    if work.processes.is_first:
        LabelSet(stage.images, tuple(s.name for s in domain.samples), indexed=True).save(
            work.directory
        )
        split.save(work.directory)
        _gallery(work.directory, split, domain, stage.gallery)
        wanted = getattr(selection, "proportion", None)
        if wanted is not None and abs(split.easy_share - wanted) > TOLERANCE:
            print(
                f"{work.name}: {100 * split.easy_share:.1f} % of the pixels are easy where "
                f"{100 * wanted:.1f} % were asked for; the others are equally certain",
                flush=True,
            )
    work.processes.barrier()
    return {
        "images": len(domain),
        "easy_share": split.easy_share,
        "alpha": alpha,
        "thresholds": dict(zip(domain.classes.names, thresholds, strict=True)),
    }


class _Look:
    """Passes over the images of a domain with one model."""

    def __init__(
        self,
        name: str,
        stage: PixelSplitStage,
        domain: Domain,
        predictor: Predictor,
        processes: Processes,
    ) -> None:
        self._name, self._stage, self._domain = name, stage, domain
        self._predictor, self.processes = predictor, processes
        self.num_classes = len(domain.classes.names)

    def probabilities(self, purpose: str) -> Iterator[tuple[int, Tensor]]:
        """(index, (1, C, H, W) probabilities at network input size) of this process's images."""
        share = (self.processes.rank, self.processes.count)
        # Images of other sizes would change places within a batch.
        in_order = isinstance(self._stage.selection, InstanceSelection)
        batch_size = 1 if in_order else self._stage.batch_size
        batches = inference_batches(
            self._domain, batch_size, share, self._stage.workers, scales=self._predictor.scales
        )
        title = f"{self._name} ({purpose})"
        for batch in progress(batches, title, len(self._domain), self.processes):
            height, width = batch.image.shape[1:3]
            for row, index in enumerate(batch.indices):
                image, scaled = batch.alone(row)
                yield index, self._predictor.probability(image, (height, width), scaled)

    def confidences(self) -> ConfidenceHistogram:
        """Largest probabilities by predicted class, over all images and processes."""
        histogram = ConfidenceHistogram(self.num_classes)
        for _, probability in self.probabilities("thresholds"):
            histogram.add(*probability.max(dim=1))
        return self._summed(histogram)

    def easiness(self, thresholds: list[float]) -> EasinessHistogram:
        """How easy pixels are, over all images and processes."""
        found = EasinessHistogram()
        for _, probability in self.probabilities("alpha"):
            found.add(easiness(probability, thresholds))
        self._summed(found.histogram)
        return found

    def _summed(self, histogram: ConfidenceHistogram) -> ConfidenceHistogram:
        total = self.processes.sum(histogram.counts.to(self.processes.device))
        histogram.counts = total.cpu()
        return histogram


def _label_one_after_the_other(
    look: _Look, selection: InstanceSelection, written: _Written
) -> list[float]:
    """IAST's labels; thresholds follow the images in the order of the domain.

    Processes take the images in turn, so a round of one image each is looked at side by side and
    then gone through in order by all of them.
    """
    thresholds = [FIRST_THRESHOLD] * look.num_classes
    total = len(written.domain)
    images = look.probabilities("labels")
    for first in range(0, total, look.processes.count):
        mine = next(images, None)
        histogram = ConfidenceHistogram(look.num_classes)
        if mine is not None:
            histogram.add(*mine[1].max(dim=1))
        counts = look.processes.gather(histogram.counts)
        for offset, found in enumerate(counts[: total - first]):
            histogram.counts = found
            thresholds = updated_thresholds(
                thresholds, histogram, selection.alpha, selection.beta, selection.gamma
            )
            if mine is not None and mine[0] == first + offset:
                written.add(*mine, confident_label(mine[1], thresholds))
    return thresholds


class _Written:
    """Writes labels and indices, and keeps count."""

    def __init__(self, directory: Path, domain: Domain) -> None:
        self.directory, self.domain = directory, domain
        classes = len(domain.classes.names)
        self._easy = torch.zeros(classes, dtype=torch.long)
        self._predicted = torch.zeros(classes, dtype=torch.long)
        self._shares: dict[int, float] = {}

    def add(self, index: int, probability: Tensor, label: Tensor) -> None:
        name = self.domain.samples[index].name
        classes = len(self._easy)
        easy = label != IGNORE
        self._easy += torch.bincount(label[easy].long(), minlength=classes).cpu()
        predicted = probability.argmax(dim=1).flatten()
        self._predicted += torch.bincount(predicted, minlength=classes).cpu()
        self._shares[index] = float(easy.double().mean())
        z = (domain_index(probability, label) * 255).round()
        # Rounding must not turn a hard pixel into an easy one.
        z = torch.where(easy, 0.0, z.clamp(min=1.0)).to(torch.uint8)
        arrays = [x[0].cpu().numpy() for x in (label, z)]
        for path, picture in (
            (LabelSet.path(self.directory, name), label_picture(arrays[0], self.domain.classes)),
            (LabelSet.index_path(self.directory, name), entropy_picture(arrays[1] / 255)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)

    def split(
        self, rule: str, alpha: float | None, thresholds: list[float], processes: Processes
    ) -> PixelSplit:
        easy = processes.sum(self._easy.to(processes.device)).tolist()
        predicted = processes.sum(self._predicted.to(processes.device)).tolist()
        shares = {i: x for part in processes.gather(self._shares) for i, x in part.items()}
        return PixelSplit(
            rule=rule,
            alpha=alpha,
            thresholds=tuple(thresholds),
            easy_share=sum(easy) / max(sum(predicted), 1),
            easy_pixels=tuple(easy),
            predicted_pixels=tuple(predicted),
            images={s.name: shares[i] for i, s in enumerate(self.domain.samples)},
        )


def _gallery(directory: Path, split: PixelSplit, domain: Domain, number: int) -> None:
    """Images evenly spaced from the most to the fewest easy pixels."""
    folder = directory / "gallery"
    folder.mkdir(exist_ok=True)
    ranked = sorted(split.images, key=lambda name: -split.images[name])
    count = len(ranked)
    for rank in sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))}):
        image = domain.subset([ranked[rank]]).image(0)
        save_jpeg(image, folder / f"{rank:05d}.jpg")
