"""DeepLab-v2's ResNets: torchvision's, dilated, in the layout of the published checkpoints."""

from __future__ import annotations

from typing import Any

import torchvision
from torch import Tensor, nn

from segadapt.models.layers.batch_norm import FreezesBatchNorm
from segadapt.models.trunks.base import Trunk, torchvision_weights
from segadapt.models.trunks.config.resnet import ResNetConfig


class ResNet(FreezesBatchNorm, Trunk):
    """torchvision's ResNets, dilated to output stride 8 (DeepLab-v2).

    ADVENT, Sec. 4.1. Entry names are torchvision's, which the published checkpoints have too.
    Maps: the outputs of ``layer1`` to ``layer4``.
    """

    Config = ResNetConfig
    library = "torchvision"
    training_only = frozenset({"batch_norm"})
    strides = (4, 8, 8, 8)
    middle = 2

    def __init__(
        self, name: str, config: ResNetConfig, blocks: tuple[int, int, int, int] | None = None
    ) -> None:
        """``blocks`` overrides the number of residual blocks per layer (small test networks)."""
        super().__init__()
        net = _dilated_resnet(name, blocks)
        self.name = name
        self.conv1, self.bn1, self.relu, self.maxpool = net.conv1, net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2 = net.layer1, net.layer2
        self.layer3, self.layer4 = net.layer3, net.layer4
        expansion: int = net.layer1[0].expansion  # type: ignore[assignment]
        self.channels = tuple(width * expansion for width in (64, 128, 256, 512))
        self.freezes = config.batch_norm == "frozen"
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                # Scale and shift are never trained (published setting); statistics may be.
                module.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """See :meth:`Trunk.forward`."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def fetch(self) -> dict[str, Tensor]:
        """See :meth:`Trunk.fetch`."""
        return torchvision_weights(self.name)


def _dilated_resnet(
    backbone: str, blocks: tuple[int, int, int, int] | None
) -> torchvision.models.ResNet:
    """torchvision's ResNet turned into the DeepLab-v2 trunk: same names, published numbers.

    Differences to torchvision: rounding-up max pooling, the stride of a stage in its first 1x1
    convolution (the original Caffe layout), and dilations 2 and 4 already in the first block.
    """
    basic = backbone in ("resnet18", "resnet34")
    if blocks is not None:
        block = torchvision.models.resnet.Bottleneck
        net = torchvision.models.ResNet(
            block, list(blocks), replace_stride_with_dilation=[False, True, True]
        )
    elif basic:  # torchvision's BasicBlock refuses dilation, so it is put in below
        net = getattr(torchvision.models, backbone)(weights=None)
    else:
        net = getattr(torchvision.models, backbone)(
            weights=None, replace_stride_with_dilation=[False, True, True]
        )
    net.maxpool.ceil_mode = True
    block_: Any  # torchvision does not type its blocks
    for layer, dilation in ((net.layer3, 2), (net.layer4, 4)):
        for index, block_ in enumerate(layer):
            convolutions = [block_.conv1, block_.conv2] if basic else [block_.conv2]
            for convolution in convolutions:
                convolution.stride = (1, 1)
                convolution.dilation = convolution.padding = (dilation, dilation)
            if basic and index == 0:
                block_.downsample[0].stride = (1, 1)
    if not basic:
        first: Any = net.layer2[0]
        first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    return net
