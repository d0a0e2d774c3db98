"""Scores checkpoints on any dataset: the ``evaluate`` verb."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segadapt import metrics_boxes
from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.base.compute import Compute
from segadapt.base.errors import SegadaptError, printable
from segadapt.config import DomainConfig, Views
from segadapt.data.domain import Domain
from segadapt.data.listing import open_domain
from segadapt.engine.detect import detect, scores_of
from segadapt.engine.evaluate import evaluate, require_same_classes
from segadapt.engine.exported.read import load_model
from segadapt.engine.fabric import Processes, launch
from segadapt.engine.predict import Predictor
from segadapt.metrics import ABSENT_RULE
from segadapt.metrics_boxes import BoxScores, require_box_scores
from segadapt.models.files.hub import is_on_hub, local_file
from segadapt.report.belonging import Belonging, belonging
from segadapt.stages.evaluate.rows import score_row

BATCH_SIZE = 4


def score_checkpoints(
    path: Path,
    dataset: str,
    root: Path,
    split: str,
    *,
    classes: str | None = None,
    family: str | None = None,
    with_: Mapping[Path, float] | None = None,
    views: Views | None = None,
    compute: Compute,
) -> dict[str, Any]:
    """Scores of a checkpoint, or of every checkpoint of a run, on one split of a dataset.

    Args:
        path: a checkpoint file, a run's folder, or ``hf:USER/NAME``.
        dataset: name of the dataset's reader.
        root: the dataset's folder.
        split: the split to score; its labels are read.
        classes: class map of the dataset; its own classes where not given.
        family: whose layout a published file has.
        with_: further checkpoints with weights; their score maps are averaged with those of
            ``path``, which is then one checkpoint and weighs 1.
        views: scales, mirroring and windows; the plain image where not given.
        compute: device and precision; one process serves.

    Raises:
        SegadaptError: checkpoint and dataset do not fit, or cannot be read.
    """
    files = checkpoint_files(path)
    if with_ and len(files) > 1:
        raise SegadaptError(f"{path}: is a run; an ensemble starts from one checkpoint file")
    others = {local_file(file): weight for file, weight in (with_ or {}).items()}
    ensembles = {name: {file: 1.0, **others} for name, file in files.items()}
    if with_:
        ensembles = {" + ".join(_title(file) for file in x): x for x in ensembles.values()}
    arguments = (ensembles, dataset, root, split, classes, family, views or Views())
    result: dict[str, Any] = launch(_score, arguments, compute)
    return result


def _score(
    processes: Processes,
    ensembles: Mapping[str, Mapping[Path, float]],
    dataset: str,
    root: Path,
    split: str,
    classes: str | None,
    family: str | None,
    views: Views,
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for name, weights in ensembles.items():
        members = [(load_model(file, family), weight) for file, weight in weights.items()]
        predictor = Predictor(members, processes, views)
        # Images come in the size that the model was trained with.
        config = DomainConfig(
            dataset=dataset, split=split, role="test", classes=classes, size=predictor.size
        )
        domain = open_domain(config, root.expanduser(), True, f"{dataset} {split}")
        for sentence in domain.warnings if not rows else ():
            print(f"warning: {printable(sentence)}", flush=True)
        require_same_classes(predictor, domain)
        boxes = domain.classes.boxes
        scores = (_boxes if boxes else evaluate)(predictor, domain, BATCH_SIZE, processes, name)
        rows.append({"checkpoint": name, **score_row(scores, predictor)})
    return {
        "domain": f"{dataset} {split}",
        "images": len(domain),
        "classes": list(domain.classes.names),
        "absent_rule": metrics_boxes.ABSENT_RULE if boxes else ABSENT_RULE,
        "measure": "AP50" if boxes else "mIoU",
        "views": views.model_dump(mode="json"),
        "scores": rows,
    }


def _boxes(
    predictor: Predictor, domain: Domain, batch_size: int, processes: Processes, title: str
) -> BoxScores:
    require_box_scores()
    found = detect(predictor, domain, batch_size, processes, title)
    return scores_of(found, len(domain.classes.names))


def checkpoint_files(path: Path) -> dict[str, Path]:
    """Checkpoint files by title: of a run its stages', in their order."""
    if is_on_hub(path):
        return {str(path): local_file(path)}
    if path.is_file():
        return {_title(path): path}
    # Other folders in a run's, such as copies that somebody made, are none of its stages.
    inside = belonging(path) if path.is_dir() else Belonging([], [])
    for sentence in inside.told:
        print(f"warning: {printable(sentence)}", flush=True)
    files = (folder.path / CHECKPOINT_FILE for folder in inside.folders)
    found = [file for file in files if file.is_file()]
    if not found:
        raise SegadaptError(f"{path}: is neither a checkpoint nor a run that has one")
    return {_title(file): file for file in found}


def _title(file: Path) -> str:
    """A checkpoint's stage, or the file's own name."""
    return file.parent.name.partition("-")[2] or file.stem
