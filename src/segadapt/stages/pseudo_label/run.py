"""The ``pseudo_label`` stage: a model's most probable classes as labels (IntraDA, Eq. 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from segadapt.artefacts import LabelSet
from segadapt.base.pictures import label_picture
from segadapt.stages.context import Work
from segadapt.stages.kept import of_each_image
from segadapt.stages.pseudo_label.boxes import run_boxes
from segadapt.stages.pseudo_label.config import PseudoLabelStage
from segadapt.tasks.enlarged import Enlarged


def run(stage: PseudoLabelStage, work: Work) -> dict[str, Any]:
    """Label every image at network input size and leave ``labels.json`` and ``labels/``."""
    domain = work.context.domain(stage.images, labelled=False)
    if domain.classes.boxes:
        return run_boxes(stage, work, domain)
    predictor = work.context.predictor(stage.checkpoint, work.processes)
    number = len(domain.classes.names)

    enlarged = Enlarged()

    def find(index: int, image: Tensor) -> list[int]:
        label = enlarged.most_probable(predictor.logits(image), image.shape[1:3])[0].cpu()
        path = LabelSet.path(work.directory, domain.samples[index].name)
        path.parent.mkdir(parents=True, exist_ok=True)
        label_picture(label.numpy().astype(np.uint8), domain.classes).save(path)
        counts: list[int] = torch.bincount(label.flatten(), minlength=number).tolist()
        return counts

    kept, found = of_each_image(domain, work, stage.batch_size, stage.workers, find)
    total = torch.tensor(found).sum(dim=0).tolist()
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
