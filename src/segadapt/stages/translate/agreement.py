"""How much of what a segmenter sees stays through a translation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from segadapt.data.domain import Domain
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.engine.predict import Predictor
from segadapt.stages.translate.config import TranslateStage
from segadapt.tasks.enlarged import Enlarged


def agreement(
    name: str,
    source: Domain,
    translated: Domain,
    predictor: Predictor,
    stage: TranslateStage,
    processes: Processes,
) -> dict[str, Any]:
    """Share of pixels (of images, for a classifier) seen as the same class before and after.

    Both are looked at in the size that the domain gives; labels are not needed.

    Returns:
        ``agreement`` in [0, 1], over all pixels of all images, and ``agreement_of``: what was
        counted, pixels or images.
    """
    # Translated files have the source's size already, or are brought to it.
    pair = (source, replace(translated, labelled=False))
    # Images of their own sizes go one by one: batches of both would be put together differently.
    batch_size = stage.batch_size if source.size is not None else 1
    both = [looked_at(domain, processes, batch_size, stage.workers) for domain in pair]
    enlarged = Enlarged()
    counts = torch.zeros(2, dtype=torch.float64)
    for before in progress(both[0], f"{name}: agreement", len(source), processes):
        after = next(both[1])
        size = before.image.shape[1], before.image.shape[2]
        first, second = (
            enlarged.most_probable(predictor.logits(batch.image), size).cpu()
            for batch in (before, after)
        )
        counts[0] += (first == second).sum()
        counts[1] += first.numel()
    same, total = processes.sum(counts.to(processes.device)).tolist()
    counted = "images" if source.classes.whole_image else "pixels"
    return {"agreement": same / total, "agreement_of": counted}
