"""The ``inspect`` stage: unlabelled images through several checkpoints, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from segadapt.artefacts import write_json
from segadapt.data.domain import Domain
from segadapt.engine.predict import Predictor
from segadapt.selection.label_free import label_free_scores
from segadapt.stages.context import Work
from segadapt.stages.inspect.chosen import choose
from segadapt.stages.inspect.config import InspectStage
from segadapt.stages.inspect.drawn import draw_boxes, draw_pixels, draw_whole
from segadapt.stages.inspect.looks import Look, look_at_boxes, look_at_pixels
from segadapt.stages.inspect.source import source_classes
from segadapt.stages.kept import of_each_image
from segadapt.stages.lineage import is_oracle

INSPECTION_FILE = "inspection.json"


def run(stage: InspectStage, work: Work) -> dict[str, Any]:
    """Look at every image, and leave ``inspection.json`` and ``pictures/``."""
    domain = work.context.domain(stage.images, labelled=False)
    predictors = {
        reference.partition(".")[0]: work.context.predictor(reference, work.processes)
        for reference in stage.checkpoints
    }
    models = list(predictors.values())
    look = look_at_boxes if domain.classes.boxes else look_at_pixels

    def find(index: int, image: Tensor) -> Look:
        return look(models, image)

    source = None
    if stage.source is not None:
        labelled = work.context.domain(stage.source, labelled=True)
        found_there = source_classes(labelled, work.processes)
        source = {"title": _title(work, stage.source), **found_there._asdict()}
    kept, found = of_each_image(domain, work, stage.batch_size, stage.workers, find)
    looks = [Look(*one) for one in found]
    rows: list[dict[str, Any]] = [
        {
            "checkpoint": title,
            "oracle": predictor.oracle or is_oracle(work.context, title),
            **_label_free(looks, place, domain),
            "counts": [
                sum(column) for column in zip(*(x.counts[place] for x in looks), strict=True)
            ],
        }
        for place, (title, predictor) in enumerate(predictors.items())
    ]
    if work.processes.is_first:
        images = [
            {
                "name": sample.name,
                "agreement": one.agreement[0][-1],
                "entropy": [_entropy(sums) for sums in one.sums],
            }
            for sample, one in zip(domain.samples, looks, strict=True)
        ]
        write_json(
            work.directory / INSPECTION_FILE,
            {
                "domain": _title(work, stage.images),
                "of": _what(domain),
                "classes": domain.classes.names,
                "colours": domain.classes.colours,
                "source": source,
                "checkpoints": rows,
                "agreement": _mean([one.agreement for one in looks]),
                "images": images,
                "pictures": _pictures(stage, work, domain, predictors, looks),
            },
        )
    work.processes.barrier()
    kept.close()
    return {"mean entropy": {row["checkpoint"]: -row["mean_entropy"] for row in rows}}


def _title(work: Work, images: str) -> str:
    """What people call the domain that images are of."""
    return work.context.recipe.domains[work.context.domain_behind(images)].title


def _what(domain: Domain) -> str:
    """What is counted by class."""
    if domain.classes.boxes:
        return "boxes"
    return "images" if domain.classes.whole_image else "pixels"


def _label_free(looks: Sequence[Look], place: int, domain: Domain) -> dict[str, float]:
    sums = torch.tensor([one.sums[place] for one in looks], dtype=torch.float64).sum(dim=0)
    scores = {str(name): value for name, value in label_free_scores(sums).items()}
    if domain.classes.whole_image:  # it compares pixels, and there is one
        del scores["soft_neighbourhood_density"]
    return scores


def _entropy(sums: Sequence[float]) -> float:
    """Mean entropy of one image: before its density and the number of images, which is 1."""
    return sums[-3]


def _mean(tables: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    mean: list[list[float]] = torch.tensor(tables, dtype=torch.float64).mean(dim=0).tolist()
    return mean


def _pictures(
    stage: InspectStage,
    work: Work,
    domain: Domain,
    predictors: Mapping[str, Predictor],
    looks: Sequence[Look],
) -> list[dict[str, Any]]:
    draw = {"boxes": draw_boxes, "images": draw_whole, "pixels": draw_pixels}[_what(domain)]
    chosen = choose(
        [one.agreement[0][-1] for one in looks],
        [_entropy(one.sums[-1]) for one in looks],
        stage.pictures,
    )
    found = []
    for position, (index, why) in enumerate(chosen):
        folder = work.directory / "pictures" / f"{position:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        drawn = draw(folder, domain, index, predictors)
        found.append(
            {"image_number": index, "why": why, "folder": f"pictures/{folder.name}"} | drawn
        )
    return found
