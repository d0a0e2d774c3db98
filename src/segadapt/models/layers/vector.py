"""CyCADA's classifier of features that are one pixel."""

from __future__ import annotations

from torch import Tensor, nn


class VectorClassifier(nn.Sequential):
    """ReLU, dropout, and a linear layer: (N, channels, 1, 1) -> (N, num_classes, 1, 1)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__(nn.ReLU(), nn.Dropout(0.5), nn.Linear(channels, num_classes))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        scores = features.flatten(1)
        for layer in self:
            scores = layer(scores)
        return scores[..., None, None]
