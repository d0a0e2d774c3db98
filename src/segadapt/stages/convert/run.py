"""The ``convert`` stage: take a checkpoint from elsewhere into the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.models.files.checkpoints import load_checkpoint, save_checkpoint
from segadapt.stages.context import Work
from segadapt.stages.convert.config import ConvertStage


def run(stage: ConvertStage, work: Work) -> dict[str, Any]:
    """Read the file and leave it as ``checkpoint.safetensors``."""
    if work.processes.is_first:
        trained = load_checkpoint(work.context.file(stage.file), stage.family)
        trained = replace(trained, classes=stage.classes(work.context))
        save_checkpoint(work.directory / CHECKPOINT_FILE, trained)
    work.processes.barrier()
    return {"file": stage.file}
