"""How CyCADA's program starts its classifiers of digits."""

from __future__ import annotations

from torch import nn


def draw_xavier(network: nn.Module) -> None:
    """Weights of convolutions and linear layers from Xavier's normal distribution, no biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
