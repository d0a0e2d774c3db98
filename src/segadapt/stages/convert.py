"""The ``convert`` stage: take a checkpoint from elsewhere into the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segadapt.artefacts import CHECKPOINT_FILE
from segadapt.config import ConvertStage
from segadapt.engine.fabric import Processes
from segadapt.models.checkpoints import load_checkpoint, save_checkpoint
from segadapt.stages.context import StageContext


def run(
    name: str, config: ConvertStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Read the file and leave it as ``checkpoint.safetensors``."""
    if processes.is_first:
        trained = load_checkpoint(context.file(config.file), config.family)
        save_checkpoint(directory / CHECKPOINT_FILE, trained)
    processes.barrier()
    return {"file": config.file}
