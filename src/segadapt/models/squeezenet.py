"""DeepLab-v2 heads on SqueezeNet 1.0: the light network for small machines."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from segadapt.config import Heads
from segadapt.models.aspp import DILATIONS
from segadapt.models.base import Segmenter

BACKBONES = ("squeezenet1_0",)
_AUX_FEATURES = 11  # the auxiliary classifier sees the output of features[10] (512 channels)


class SqueezeNetSegmenter(Segmenter):
    """SqueezeNet 1.0 trunk (Iandola et al., 2016) at output stride 8.

    The last pooling keeps its window but loses its stride, and the module after it is dilated
    instead, as DeepLab does. Entry names of the trunk are torchvision's ``features.*``. There is no
    batch norm, so scores do not depend on the batch; rates tuned for ResNets diverge.
    """

    trunk = ("features",)

    def __init__(
        self,
        backbone: str,
        num_classes: int,
        heads: Heads = "multi_level",
        dilations: tuple[int, ...] = DILATIONS,
        attention_modules: int = 2,
    ) -> None:
        super().__init__(num_classes, heads, dilations, attention_modules)
        net = getattr(torchvision.models, backbone)(weights=None)
        self.features = net.features
        last_pool, last_fire = self.features[11], self.features[12]
        assert isinstance(last_pool, nn.MaxPool2d)
        last_pool.stride, last_pool.padding, last_pool.ceil_mode = 1, 1, False
        expand = last_fire.expand3x3
        expand.dilation, expand.padding = (2, 2), (2, 2)
        self.add_classifiers(last=512, middle=512)

    def extract(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :meth:`Segmenter.extract`."""
        x = self.features[:_AUX_FEATURES](image)
        return self.features[_AUX_FEATURES:](x), x
