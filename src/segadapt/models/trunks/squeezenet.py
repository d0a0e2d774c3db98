"""SqueezeNet 1.0: the light network for small machines."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from segadapt.models.trunks.base import Trunk, torchvision_weights
from segadapt.models.trunks.config.squeezenet import SqueezeNetConfig

_ENDS = (6, 11, 13)
"""Modules of ``features`` in front of which a map is taken: two poolings, and the end."""


class SqueezeNet(Trunk):
    """SqueezeNet 1.0 at output stride 8: light, without batch norm.

    Iandola et al., 2016. The last pooling keeps its window but loses its stride, and the module
    after it is dilated instead, as DeepLab does. Entry names are torchvision's ``features.*``.
    There is no batch norm, so scores do not depend on the batch; rates tuned for ResNets diverge.
    """

    Config = SqueezeNetConfig
    library = "torchvision"
    channels = (256, 512, 512)
    strides = (4, 8, 8)
    middle = 1

    def __init__(self, name: str, config: SqueezeNetConfig) -> None:
        super().__init__()
        self.name = name
        self.features = getattr(torchvision.models, name)(weights=None).features
        last_pool, last_fire = self.features[11], self.features[12]
        assert isinstance(last_pool, nn.MaxPool2d)
        last_pool.stride, last_pool.padding, last_pool.ceil_mode = 1, 1, False
        expand = last_fire.expand3x3
        expand.dilation, expand.padding = (2, 2), (2, 2)

    def forward(self, image: Tensor) -> list[Tensor]:
        """See :meth:`Trunk.forward`."""
        maps = []
        x, start = image, 0
        for end in _ENDS:
            x = self.features[start:end](x)
            maps.append(x)
            start = end
        return maps

    def fetch(self) -> dict[str, Tensor]:
        """See :meth:`Trunk.fetch`."""
        return torchvision_weights(self.name)
