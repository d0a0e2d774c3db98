"""How much room networks take on disk."""

from __future__ import annotations


def training_bytes(parameters: int) -> int:
    """Checkpoint, state (weights and up to two moments) and its new copy while it is written."""
    return parameters * 4 * 7
