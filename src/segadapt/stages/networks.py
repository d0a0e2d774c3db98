"""How much room networks take on disk."""

from __future__ import annotations

from torch import nn


def training_bytes(network: nn.Module) -> int:
    """Checkpoint, state (weights and up to two moments) and its new copy while it is written."""
    return sum(p.numel() for p in network.parameters()) * 4 * 7
