"""Classifier of DeepLab-v2: parallel dilated convolutions, summed (ASPP-L)."""

from __future__ import annotations

from torch import Tensor, nn


class ASPPClassifier(nn.Module):
    """Atrous spatial pyramid pooling classifier (Chen et al., DeepLab-v2; ADVENT, Sec. 4.1).

    Args:
        in_channels: channels of the features.
        num_classes: channels of the output.
        dilations: one 3x3 convolution for each; their outputs are summed.

    The attribute name ``conv2d_list`` is that of the published checkpoint files.
    """

    def __init__(
        self, in_channels: int, num_classes: int, dilations: tuple[int, ...] = (6, 12, 18, 24)
    ) -> None:
        super().__init__()
        self.conv2d_list = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, 3, padding=rate, dilation=rate)
            for rate in dilations
        )
        for convolution in self.conv2d_list:
            nn.init.normal_(convolution.weight, 0.0, 0.01)  # as the released programs start

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, num_classes, h, w)."""
        outputs = [convolution(features) for convolution in self.conv2d_list]
        total = outputs[0]
        for output in outputs[1:]:
            total = total + output
        return total
