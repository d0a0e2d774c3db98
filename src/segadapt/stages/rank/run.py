"""The ``rank`` stage: order a target's images by entropy and split them (IntraDA, Sec. 3.2)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from segadapt.artefacts import RankedImage, Split
from segadapt.data.domain import Domain
from segadapt.split.entropy_ranking import (
    ImageEntropy,
    image_entropies,
    image_entropy,
    normaliser,
    rows_for_ranking,
    split_by_score,
)
from segadapt.stages.context import Work
from segadapt.stages.kept import of_each_image
from segadapt.stages.rank.config import RankStage
from segadapt.stages.rank.gallery import save_gallery
from segadapt.tasks.enlarged import Enlarged


def run(stage: RankStage, work: Work) -> dict[str, Any]:
    """Rank, and leave ``split.json`` and a gallery of pictures."""
    domain = work.context.domain(stage.images, labelled=False)
    predictor = work.context.predictor(stage.checkpoint, work.processes)

    enlarged = Enlarged()

    def find(index: int, image: Tensor) -> list[Any]:
        if domain.classes.boxes:
            (entropy,) = image_entropies(predictor.place_probability(image))
            # The first of the classes is the background, which is none of the domain's.
            predicted = [x - 1 for x in entropy.predicted_classes if x > 0]
        else:
            logits, size = predictor.logits(image), image.shape[1:3]
            rows, label = enlarged.read(logits, size, rows_for_ranking)
            entropy = image_entropy(rows[0], label[0], logits.shape[1])
            predicted = list(entropy.predicted_classes)
        return [*entropy[:2], predicted]

    kept, rows = of_each_image(domain, work, stage.batch_size, stage.workers, find)
    entropies = [ImageEntropy(one, other, tuple(classes)) for one, other, classes in rows]
    split = _split(stage, domain, entropies)
    if work.processes.is_first:
        split.save(work.directory)
        save_gallery(work.directory / "gallery", split, domain, predictor, stage.gallery)
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
