"""Batch norm whose stored statistics are used throughout."""

from __future__ import annotations

from torch import nn


class FreezesBatchNorm(nn.Module):
    """A network that leaves its batch norm in evaluation mode where ``freezes`` is true."""

    freezes = False

    def train(self, mode: bool = True) -> FreezesBatchNorm:
        """Train mode, for all that is not frozen."""
        super().train(mode)
        if self.freezes:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self
