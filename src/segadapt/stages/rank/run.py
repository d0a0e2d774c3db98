"""The ``rank`` stage: order a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from segadapt.artefacts import RankedImage, Split
from segadapt.base.pictures import entropy_picture, label_picture, save_jpeg
from segadapt.data.domain import Domain
from segadapt.data.loader import inference_batches
from segadapt.engine.log import progress
from segadapt.engine.predict import Predictor
from segadapt.split.entropy_ranking import (
    ImageEntropy,
    image_entropies,
    normaliser,
    split_by_score,
)
from segadapt.stages.context import Work
from segadapt.stages.kept import Kept
from segadapt.stages.rank.config import RankStage


def run(stage: RankStage, work: Work) -> dict[str, Any]:
    """Rank, and leave ``split.json`` and a gallery of pictures."""
    domain = work.context.domain(stage.images, labelled=False)
    predictor = work.context.predictor(stage.checkpoint, work.processes)
    share = (work.processes.rank, work.processes.count)
    kept = Kept(work.directory, work.processes)
    done = set(kept.values)
    batches = inference_batches(domain, stage.batch_size, share, stage.workers, without=done)
    for batch in progress(batches, work.name, len(domain), work.processes):
        height, width = batch.image.shape[1:3]
        for index, image in zip(batch.indices, batch.image, strict=True):
            # One image at a time: the sums then do not depend on the batch size.
            (entropy,) = image_entropies(predictor.probability(image[None], (height, width)))
            kept.add(index, [*entropy[:2], list(entropy.predicted_classes)])
    found = {i: e for part in work.processes.gather(kept.values) for i, e in part.items()}
    rows = [found[i] for i in range(len(domain))]
    entropies = [ImageEntropy(one, other, tuple(classes)) for one, other, classes in rows]
    split = _split(stage, domain, entropies)
    if work.processes.is_first:
        split.save(work.directory)
        _gallery(work.directory / "gallery", split, domain, predictor, stage.gallery)
    work.processes.barrier()
    kept.close()
    return {"easy": len(split.names("easy")), "hard": len(split.names("hard"))}


def _split(stage: RankStage, domain: Domain, entropies: list[ImageEntropy]) -> Split:
    rare = domain.classes.rare
    scores = [
        e.mean_entropy * normaliser(e.predicted_classes, rare, stage.normalisation)
        for e in entropies
    ]
    easy, hard = split_by_score(scores, stage.easy_ratio)
    ranked: list[RankedImage] = []
    for i in (*easy, *hard):
        found = set(entropies[i].predicted_classes)
        ranked.append(
            RankedImage(
                name=domain.samples[i].name,
                score=scores[i],
                mean_entropy=entropies[i].mean_entropy,
                predicted_classes=len(found),
                rare_classes=len(found & set(rare)),
                split="easy" if len(ranked) < len(easy) else "hard",
            )
        )
    return Split(stage.images, stage.easy_ratio, stage.normalisation, tuple(ranked))


def _gallery(folder: Path, split: Split, domain: Domain, predictor: Predictor, number: int) -> None:
    """Pictures of images evenly spaced over the ranking, the easiest and the hardest included."""
    folder.mkdir(exist_ok=True)
    count = len(split.images)
    chosen = sorted({round(i) for i in np.linspace(0, count - 1, min(number, count))})
    for rank in chosen:
        alone = domain.subset([split.images[rank].name])
        image = alone.image(0)
        prediction = predictor.predict_sample(alone, 0)
        stem = folder / f"{rank:05d}"
        save_jpeg(image, stem.with_suffix(".image.jpg"))
        label_picture(prediction.label, predictor.classes).save(stem.with_suffix(".prediction.png"))
        entropy_picture(prediction.entropy).save(stem.with_suffix(".entropy.png"))
