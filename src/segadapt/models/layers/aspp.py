"""Classifier of DeepLab-v2: parallel dilated convolutions, summed (ASPP-L)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.models.heads.config.dilations import DILATIONS


class ASPPClassifier(nn.Module):
    """Atrous spatial pyramid pooling classifier (Chen et al., DeepLab-v2; ADVENT, Sec. 4.1).

    Args:
        in_channels: channels of the features.
        num_classes: channels of the output.
        dilations: one 3x3 convolution for each; their outputs are summed.

    The attribute name ``conv2d_list`` is that of the published checkpoint files.
    """

    def __init__(
        self, in_channels: int, num_classes: int, dilations: tuple[int, ...] = DILATIONS
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.dilations = dilations
        convolutions = [
            nn.Conv2d(in_channels, num_classes, 3, padding=rate, dilation=rate)
            for rate in dilations
        ]
        for convolution in convolutions:
            nn.init.normal_(convolution.weight, 0.0, 0.01)  # as the released programs start
        self.conv2d_list = nn.ModuleList(convolutions)

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, num_classes, h, w): the sum of the dilated convolutions.

        Many channels go into few, where libraries are slow at dilated convolutions, above all
        backwards (25 times the forward time on CPUs). So all taps of all branches are computed
        by one 1x1 convolution, and each tap's result is moved to its place and added.
        """
        if torch.compiler.is_exporting():
            # What follows asks for the map's size, and a traced file would keep the answer.
            return torch.stack([branch(features) for branch in self.conv2d_list]).sum(dim=0)
        branches = [branch for branch in self.conv2d_list if isinstance(branch, nn.Conv2d)]
        # (classes, channels, 3, 3) per branch -> (branches * 9 * classes, channels, 1, 1)
        taps = torch.cat([branch.weight.permute(2, 3, 0, 1).flatten(0, 2) for branch in branches])
        # Each branch's bias goes with its middle tap, which stays in place. (Summed, the biases'
        # gradients would share memory, and adding a second backward pass to them would go wrong.)
        margin = 4 * self.num_classes
        biases = [
            F.pad(branch.bias, (margin, margin)) for branch in branches if branch.bias is not None
        ]
        maps = F.conv2d(features, taps[:, :, None, None], torch.cat(biases))
        by_tap = maps.split(self.num_classes, dim=1)
        moves = [
            (down, right)
            for rate in self.dilations
            for down in (-rate, 0, rate)
            for right in (-rate, 0, rate)
        ]
        height, width = features.shape[-2:]
        total = torch.zeros_like(by_tap[0])
        for (down, right), tap in zip(moves, by_tap, strict=True):
            # Output pixel (y, x) takes the tap's value at (y + down, x + right), or zero.
            if abs(down) < height and abs(right) < width:
                total = total + F.pad(tap, (-right, right, -down, down))
        return total
