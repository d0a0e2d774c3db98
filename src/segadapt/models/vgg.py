"""DeepLab-v2 on VGG-16, as in the VGG rows of AdaptSegNet and ADVENT."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from segadapt.config import Heads
from segadapt.models.aspp import DILATIONS
from segadapt.models.base import Segmenter

BACKBONES = ("vgg16",)
_POOL4, _POOL5 = 23, 30  # in torchvision's `features`


class VGGSegmenter(Segmenter):
    """VGG-16 trunk (Simonyan and Zisserman, 2015) at output stride 8, one level only.

    The fourth and fifth pooling are gone and conv5 is dilated by 2 (Chen et al., DeepLab-v2). The
    two fully connected layers are 3x3 convolutions of 1024 channels, dilated by 4. The order, and
    so the entry names ``features.*``, are those of AdaptSegNet's published VGG file: without
    pool4 every number behind it is one less than torchvision's.
    """

    trunk = ("features",)
    never_pretrained = tuple(f"features.{i}.{k}" for i in (29, 31) for k in ("weight", "bias"))

    def __init__(
        self,
        backbone: str,
        num_classes: int,
        heads: Heads = "single",
        dilations: tuple[int, ...] = DILATIONS,
        attention_modules: int = 2,
    ) -> None:
        super().__init__(num_classes, heads, dilations, attention_modules)
        layers = list(getattr(torchvision.models, backbone)(weights=None).features)
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
        self.add_classifiers(last=1024)

    def extract(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :meth:`Segmenter.extract`."""
        return self.features(image), None

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
