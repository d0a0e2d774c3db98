"""CyCADA's LeNet for digits (Hoffman et al., ICML 2018, supplement)."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.layers.xavier import draw_xavier
from segadapt.models.trunks.base import Trunk
from segadapt.models.trunks.config.lenet import LeNetConfig

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue, as Pillow's."""


class LeNet(Trunk):
    """CyCADA's LeNet: grey images of 28x28 as a whole.

    What all else of the package sees is a segmenter whose whole image is one pixel.
    """

    Config = LeNetConfig
    side = 28
    channels = (500,)
    strides = (28,)

    def __init__(self, name: str, config: LeNetConfig) -> None:
        super().__init__()
        self.conv_params = nn.Sequential(
            nn.Conv2d(1, 20, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(20, 50, 5),
            nn.Dropout2d(0.5),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.fc_params = nn.Linear(50 * 4 * 4, 500)

    def initialise(self) -> None:
        """As CyCADA's program starts it."""
        draw_xavier(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of the last hidden layer, (N, 500, 1, 1)."""
        weights = image.new_tensor(GREY).view(1, 3, 1, 1)
        grey = (image * weights).sum(dim=1, keepdim=True)
        features: Tensor = self.fc_params(self.conv_params(grey).flatten(1))
        return [features[..., None, None]]
