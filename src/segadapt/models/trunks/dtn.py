"""CyCADA's deeper classifier, for house numbers (Hoffman et al., ICML 2018, supplement)."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.layers.xavier import draw_xavier
from segadapt.models.trunks.base import Trunk
from segadapt.models.trunks.config.dtn import DTNConfig


class DTN(Trunk):
    """CyCADA's DTN for SVHN: colour images of 32x32 as a whole."""

    Config = DTNConfig
    side = 32
    least_batch = 2  # batch norm of features that are one pixel
    channels = (512,)
    strides = (32,)

    def __init__(self, name: str, config: DTNConfig) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for before, after, dropped in ((3, 64, 0.1), (64, 128, 0.3), (128, 256, 0.5)):
            blocks += [
                nn.Conv2d(before, after, 5, stride=2, padding=2),
                nn.BatchNorm2d(after),
                nn.Dropout2d(dropped),
                nn.ReLU(),
            ]
        self.conv_params = nn.Sequential(*blocks)
        self.fc_params = nn.Sequential(nn.Linear(256 * 4 * 4, 512), nn.BatchNorm1d(512))

    def initialise(self) -> None:
        """As CyCADA's program starts it."""
        draw_xavier(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of the last hidden layer, (N, 512, 1, 1)."""
        features: Tensor = self.fc_params(self.conv_params(image).flatten(1))
        return [features[..., None, None]]
