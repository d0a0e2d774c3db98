"""The ``pixel_split`` stage: easy pixels get labels, hard ones an index (PixIntraDA, Sec. 4.1)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segadapt.artefacts import LabelSet, PixelSplit
from segadapt.base.pictures import save_jpeg
from segadapt.data.domain import Domain
from segadapt.split.confidence_histogram import ConfidenceHistogram
from segadapt.split.instance_adaptive import confident_label, updated_thresholds
from segadapt.split.pixel_split import (
    balanced_label,
    balanced_thresholds,
    class_thresholds,
    partial_label,
)
from segadapt.stages.context import Work
from segadapt.stages.pixel_split.config import PixelSplitStage
from segadapt.stages.pixel_split.look import Look
from segadapt.stages.pixel_split.rules import InstanceSelection, MedianSelection
from segadapt.stages.pixel_split.written import Written, labels_by, stored_index

TOLERANCE = 0.01
"""Difference from the wanted share of easy pixels that is told."""
FIRST_THRESHOLD = 0.9
"""Of every class before the first image, where thresholds move from image to image (IAST)."""


def run(stage: PixelSplitStage, work: Work) -> dict[str, Any]:
    """Leave ``labels.json``, ``labels/``, ``domain_index/``, ``pixel_split.json`` and a gallery."""
    domain = work.context.domain(stage.images, labelled=False)
    look = Look(stage, work, domain)
    selection = stage.selection
    written = Written(work.directory, domain)
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
            label = partial(partial_label, thresholds=thresholds, alpha=alpha)
        else:
            thresholds = balanced_thresholds(histogram, selection.portion)
            label = partial(balanced_label, thresholds=thresholds)
        for index, maps in look.read("labels", labels_by(label)):
            written.add(index, *maps)
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
    look.close()
    return {
        "images": len(domain),
        "easy_share": split.easy_share,
        "alpha": alpha,
        "thresholds": dict(zip(domain.classes.names, thresholds, strict=True)),
    }


def _label_one_after_the_other(
    look: Look, selection: InstanceSelection, written: Written
) -> list[float]:
    """IAST's labels; thresholds follow the images in the order of the domain.

    Processes take the images in turn, so a round of one image each is looked at side by side and
    then gone through in order by all of them.
    """
    thresholds = [FIRST_THRESHOLD] * look.num_classes
    total = len(written.domain)
    images = look.read("labels", lambda p: p.max(dim=1))
    for first in range(0, total, look.processes.count):
        mine = next(images, None)
        histogram = ConfidenceHistogram(look.num_classes)
        if mine is not None:
            histogram.add(*mine[1])
        counts = look.processes.gather(histogram.counts)
        for offset, found in enumerate(counts[: total - first]):
            histogram.counts = found
            thresholds = updated_thresholds(
                thresholds, histogram, selection.alpha, selection.beta, selection.gamma
            )
            if mine is not None and mine[0] == first + offset:
                confidence, predicted = mine[1]
                label = confident_label(confidence, predicted, thresholds)
                written.add(mine[0], label, stored_index(confidence, label), predicted)
    return thresholds


def _gallery(directory: Path, split: PixelSplit, domain: Domain, number: int) -> None:
    """Images evenly spaced from the most to the fewest easy pixels."""
    folder = directory / "gallery"
    folder.mkdir(exist_ok=True)
    ranked = sorted(split.images, key=lambda name: -split.images[name])
    count = len(ranked)
    for rank in sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))}):
        image = domain.subset([ranked[rank]]).image(0)
        save_jpeg(image, folder / f"{rank:05d}.jpg")
