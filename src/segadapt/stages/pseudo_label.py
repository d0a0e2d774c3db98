"""The ``pseudo_label`` stage: a model's most probable classes as labels (IntraDA, Eq. 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from segadapt.artefacts import LabelSet
from segadapt.config import PseudoLabelStage
from segadapt.data.loader import inference_batches
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.pictures import label_picture
from segadapt.stages.context import StageContext


def run(
    name: str,
    config: PseudoLabelStage,
    context: StageContext,
    directory: Path,
    processes: Processes,
) -> dict[str, Any]:
    """Label every image at network input size and leave ``labels.json`` and ``labels/``."""
    domain = context.domain(config.images, labelled=False)
    predictor = context.predictor(config.checkpoint, processes)
    counts = torch.zeros(len(domain.classes.names), dtype=torch.long)
    share = (processes.rank, processes.count)
    batches = inference_batches(domain, config.batch_size, share, config.workers)
    for batch in progress(batches, name, len(domain), processes):
        height, width = batch.image.shape[1:3]
        for index, image in zip(batch.indices, batch.image, strict=True):
            label = predictor.probability(image[None], (height, width))[0].argmax(dim=0).cpu()
            counts += torch.bincount(label.flatten(), minlength=len(counts))
            path = LabelSet.path(directory, domain.samples[index].name)
            path.parent.mkdir(parents=True, exist_ok=True)
            label_picture(label.numpy().astype(np.uint8), domain.classes).save(path)
    total = processes.sum(counts.to(processes.device)).tolist()
    if processes.is_first:
        LabelSet(config.images, tuple(sample.name for sample in domain.samples)).save(directory)
    processes.barrier()
    return {
        "images": len(domain),
        "class_shares": {
            c: n / max(sum(total), 1) for c, n in zip(domain.classes.names, total, strict=True)
        },
    }
