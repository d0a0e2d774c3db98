"""The ``pseudo_label`` stage: a model's most probable classes as labels (IntraDA, Eq. 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from segadapt.artefacts import LabelSet
from segadapt.base.pictures import label_picture
from segadapt.data.loader import inference_batches
from segadapt.engine.log import progress
from segadapt.stages.context import Work
from segadapt.stages.kept import Kept
from segadapt.stages.pseudo_label.boxes import run_boxes
from segadapt.stages.pseudo_label.config import PseudoLabelStage


def run(stage: PseudoLabelStage, work: Work) -> dict[str, Any]:
    """Label every image at network input size and leave ``labels.json`` and ``labels/``."""
    domain = work.context.domain(stage.images, labelled=False)
    if domain.classes.boxes:
        return run_boxes(stage, work, domain)
    predictor = work.context.predictor(stage.checkpoint, work.processes)
    number = len(domain.classes.names)
    share = (work.processes.rank, work.processes.count)
    kept = Kept(work.directory, work.processes)
    done = set(kept.values)
    batches = inference_batches(domain, stage.batch_size, share, stage.workers, without=done)
    for batch in progress(batches, work.name, len(domain), work.processes):
        height, width = batch.image.shape[1:3]
        for index, image in zip(batch.indices, batch.image, strict=True):
            label = predictor.probability(image[None], (height, width))[0].argmax(dim=0).cpu()
            path = LabelSet.path(work.directory, domain.samples[index].name)
            path.parent.mkdir(parents=True, exist_ok=True)
            label_picture(label.numpy().astype(np.uint8), domain.classes).save(path)
            kept.add(index, torch.bincount(label.flatten(), minlength=number).tolist())
    found = {i: n for part in work.processes.gather(kept.values) for i, n in part.items()}
    total = torch.tensor(list(found.values())).sum(dim=0).tolist()
    if work.processes.is_first:
        LabelSet(stage.images, tuple(sample.name for sample in domain.samples)).save(work.directory)
    work.processes.barrier()
    kept.close()
    return {
        "images": len(domain),
        "class_shares": {
            c: n / max(sum(total), 1) for c, n in zip(domain.classes.names, total, strict=True)
        },
    }
