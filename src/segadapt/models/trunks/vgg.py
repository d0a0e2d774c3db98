"""DeepLab-v2's VGG-16, as in the VGG rows of AdaptSegNet and ADVENT."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from segadapt.models.trunks.base import Trunk, torchvision_weights
from segadapt.models.trunks.config.vgg import VGGConfig

_POOL3, _POOL4, _POOL5 = 16, 23, 30  # in torchvision's `features`


class VGG(Trunk):
    """VGG-16 at output stride 8, one level only.

    Simonyan and Zisserman, 2015. The fourth and fifth pooling are gone and conv5 is dilated by 2
    (Chen et al., DeepLab-v2). The two fully connected layers are 3x3 convolutions of 1024 channels,
    dilated by 4. The order, and so the entry names ``features.*``, are those of AdaptSegNet's
    published VGG file: without pool4 every number behind it is one less than torchvision's.
    """

    Config = VGGConfig
    library = "torchvision"
    channels = (256, 1024)
    strides = (4, 8)

    def __init__(self, name: str, config: VGGConfig) -> None:
        super().__init__()
        self.name = name
        layers = list(getattr(torchvision.models, name)(weights=None).features)
        for layer in layers[_POOL4 + 1 : _POOL5]:
            if isinstance(layer, nn.Conv2d):
                layer.dilation = layer.padding = (2, 2)
        fc6 = nn.Conv2d(512, 1024, 3, padding=4, dilation=4)
        fc7 = nn.Conv2d(1024, 1024, 3, padding=4, dilation=4)
        self.features = nn.Sequential(
            *layers[:_POOL4],
            *layers[_POOL4 + 1 : _POOL5],
            *(fc6, nn.ReLU(inplace=True), fc7, nn.ReLU(inplace=True)),
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """See :meth:`Trunk.forward`."""
        third = self.features[:_POOL3](image)
        return [third, self.features[_POOL3:](third)]

    def never_pretrained(self) -> tuple[str, ...]:
        """The two convolutions in place of fully connected layers."""
        return tuple(f"features.{i}.{k}" for i in (29, 31) for k in ("weight", "bias"))

    def fetch(self) -> dict[str, Tensor]:
        """See :meth:`Trunk.fetch`."""
        return torchvision_weights(self.name)

    def rename_pretrained(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """torchvision's numbers (also of the converted Caffe files) -> numbers without pool4.

        Files in our own numbers (a published VGG checkpoint as a start) stay as they are.
        """
        if f"features.{_POOL4}.weight" in tensors:  # torchvision has its pooling there
            return tensors
        renamed = {}
        for key, value in tensors.items():
            part, _, rest = key.partition(".")
            number, _, kind = rest.partition(".")
            if part == "features" and number.isdigit() and int(number) > _POOL4:
                key = f"features.{int(number) - 1}.{kind}"
            renamed[key] = value
        return renamed
