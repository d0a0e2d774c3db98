"""The only evaluation loop."""

from __future__ import annotations

from segadapt.base.classes import class_difference
from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.engine.fabric import Processes
from segadapt.engine.log import progress
from segadapt.engine.looking import looked_at
from segadapt.engine.predict import Predictor
from segadapt.metrics import ConfusionMatrix, Scores, score
from segadapt.tasks.enlarged import Enlarged


def evaluate(
    predictor: Predictor,
    domain: Domain,
    batch_size: int,
    processes: Processes,
    title: str,
    workers: int = 2,
) -> Scores:
    """Score a model on a labelled domain, at the full resolution of its labels.

    Counts are summed over images and processes before any ratio, so that the result depends
    neither on the batch size nor on the number of processes.

    Raises:
        SegadaptError: the model's classes are not the domain's, or a file cannot be used.
    """
    require_same_classes(predictor, domain)
    enlarged = Enlarged()
    matrix = ConfusionMatrix(len(domain.classes.names), processes.device)
    batches = looked_at(domain, processes, batch_size, workers, scales=predictor.scales)
    for batch in progress(batches, title, len(domain), processes):
        logits = predictor.logits(batch.image, batch.scaled)
        assert batch.labels is not None
        for logit, label in zip(logits, batch.labels, strict=True):
            # One image at a time: at full resolution the maps of a whole batch are large.
            prediction = enlarged.most_probable(logit[None], label.shape)
            matrix.update(prediction, label.to(processes.device))
    return score(processes.sum(matrix.counts()), domain.classes)


def require_same_classes(predictor: Predictor, domain: Domain) -> None:
    """Raise SegadaptError unless model and domain have the same classes in the same order."""
    ours, theirs = predictor.classes, domain.classes
    if ours.names != theirs.names:
        raise SegadaptError(
            f"{domain.title}: has {len(theirs.names)} classes, the checkpoint predicts "
            f"{len(ours.names)}: {class_difference(theirs, ours)}; choose a class map of the "
            "dataset that fits (--classes), the same names in the same order in classes.yaml, or "
            "another checkpoint"
        )
