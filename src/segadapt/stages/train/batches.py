"""What a training sees: batches of source and target, and the classes that were drawn for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch

from segadapt.artefacts import write_json
from segadapt.base.batch import UnlabelledBatch
from segadapt.config.mixed import weights_of
from segadapt.data.crops import Crops
from segadapt.data.loader import RawBatch, training_batches
from segadapt.data.mixture import Mixture
from segadapt.data.order import training_order
from segadapt.data.rare_classes import RareClasses, rare_classes
from segadapt.engine.loop import SourceBatch
from segadapt.models.inputs import normalise
from segadapt.stages.batches import pairs
from segadapt.stages.context import Work
from segadapt.stages.train.config import TrainStage

DRAWN_FILE = "drawn_classes.json"


def training_pairs(
    stage: TrainStage, work: Work, source: Mixture, target: Mixture | None, start: int
) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
    """Batches from iteration ``start`` on; which they are follows from the seed alone."""
    processes = work.processes
    crop = labelled_crop = None
    if stage.crop is not None:
        crop = Crops(stage.crop.size)
        wanted = stage.rare_classes.least_in_crop if stage.rare_classes is not None else 0
        labelled_crop = Crops(stage.crop.size, stage.crop.largest_share, wanted, stage.crop.tries)
    rare = _drawing(stage, work, source)

    def raw(domain: Mixture, seed: int, is_source: bool) -> Iterator[RawBatch]:
        return training_batches(
            domain,
            stage.batch_size,
            seed,
            (start, stage.iterations),
            (processes.rank, processes.count),
            stage.flip,
            stage.workers,
            stage.scales,
            jitter=stage.jitter,
            crop=labelled_crop if is_source else crop,
            rare=rare if is_source else (),
            margins=None if is_source else stage.target_margins,
            box_augmentation=stage.box_augmentation,
        )

    def prepare(image: torch.Tensor) -> torch.Tensor:
        return normalise(image, stage.model.input_format)

    targets = raw(target, work.seed + 1, False) if target is not None else None
    return pairs(raw(source, work.seed, True), targets, prepare, processes.device)


def _drawing(stage: TrainStage, work: Work, source: Mixture) -> list[RareClasses]:
    """How each source's images are drawn by class; empty where they are not."""
    if stage.rare_classes is None:
        return []
    found = []
    names = weights_of(stage.rare_classes.counts)
    for name, domain in zip(names, source.domains, strict=True):
        counts = work.context.class_counts(name)
        rows = dict(zip(counts.names, counts.pixels, strict=True))
        found.append(
            rare_classes(
                np.array([rows[sample.name] for sample in domain.samples]),
                stage.rare_classes.temperature,
                stage.rare_classes.least_pixels,
            )
        )
    return found


def save_drawn_classes(stage: TrainStage, work: Work, source: Mixture) -> None:
    """Leave ``drawn_classes.json``: how many images were drawn for each class, and what they would
    have been drawn for by chance, the classes' shares of all pixels."""
    order = training_order(
        source.lengths,
        stage.batch_size,
        work.seed,
        0,
        stage.iterations,
        stage.flip,
        rare=_drawing(stage, work, source),
        weights=source.weights,
    )
    drawn = Counter(draw.wanted for batch in order for draw in batch)
    assert stage.rare_classes is not None
    pixels = sum(
        np.array(work.context.class_counts(name).pixels).sum(axis=0)
        for name in weights_of(stage.rare_classes.counts)
    )
    rows = zip(source.classes.names, source.classes.colours, np.asarray(pixels), strict=True)
    write_json(
        work.directory / DRAWN_FILE,
        {
            "classes": [
                {"name": name, "colour": list(colour), "drawn": drawn[i], "pixels": int(number)}
                for i, (name, colour, number) in enumerate(rows)
            ]
        },
    )
