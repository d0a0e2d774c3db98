"""Scores checkpoints on any dataset: the ``evaluate`` verb."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.config import DomainConfig
from segadapt.data.listing import open_domain
from segadapt.engine.evaluate import evaluate, require_same_classes
from segadapt.engine.fabric import Precision, Processes, launch
from segadapt.engine.predict import Predictor
from segadapt.errors import SegadaptError
from segadapt.metrics import ABSENT_RULE
from segadapt.models.checkpoints import load_checkpoint
from segadapt.stages.evaluate import score_row

BATCH_SIZE = 4


def score_checkpoints(
    path: Path,
    dataset: str,
    root: Path,
    split: str,
    classes: str | None = None,
    family: str | None = None,
    device: str = "auto",
    precision: Precision = "32-true",
) -> dict[str, Any]:
    """Scores of a checkpoint, or of every checkpoint of a run, on one split of a dataset.

    Args:
        path: a checkpoint file, or a run's folder.
        dataset: name of the dataset's reader.
        root: the dataset's folder.
        split: the split to score; its labels are read.
        classes: class map of the dataset; its own classes where not given.
        family: whose layout a published file has.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``32-true`` or ``bf16-mixed``.

    Raises:
        SegadaptError: checkpoint and dataset do not fit, or cannot be read.
    """
    files = _checkpoints(path)
    arguments = (files, dataset, root, split, classes, family)
    result: dict[str, Any] = launch(_score, arguments, device, 1, precision)
    return result


def _score(
    processes: Processes,
    files: dict[str, Path],
    dataset: str,
    root: Path,
    split: str,
    classes: str | None,
    family: str | None,
) -> dict[str, Any]:
    rows = []
    for name, file in files.items():
        predictor = Predictor(load_checkpoint(file, family), processes)
        # Images come in the size that the model was trained with.
        config = DomainConfig(
            dataset=dataset, split=split, role="test", classes=classes, size=predictor.trained.size
        )
        domain = open_domain(config, root.expanduser(), True, f"{dataset} {split}")
        require_same_classes(predictor, domain)
        scores = evaluate(predictor, domain, BATCH_SIZE, processes, name)
        rows.append({"checkpoint": name, **score_row(scores, predictor)})
    return {
        "domain": f"{dataset} {split}",
        "images": len(domain),
        "classes": list(domain.classes.names),
        "absent_rule": ABSENT_RULE,
        "scores": rows,
    }


def _checkpoints(path: Path) -> dict[str, Path]:
    """Checkpoint files by title: of a run its stages', in their order."""
    if path.is_file():
        return {path.parent.name.partition("-")[2] or path.stem: path}
    found = sorted(
        path.glob(f"*/{CHECKPOINT_FILE}"), key=lambda p: int(p.parent.name.split("-")[0])
    )
    if not found:
        raise SegadaptError(f"{path}: is neither a checkpoint nor a run that has one")
    return {file.parent.name.partition("-")[2]: file for file in found}
