"""How much room a run needs."""

from __future__ import annotations

from segadapt.config import ModelConfig
from segadapt.models.initialise import build_segmenter


def model_bytes(model: ModelConfig, num_classes: int) -> int:
    """Checkpoint, state (weights and up to two moments) and its new copy while it is written."""
    parameters = sum(p.numel() for p in build_segmenter(model, num_classes).parameters())
    return parameters * 4 * 7
