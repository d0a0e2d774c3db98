"""DeepLab-v2 on torchvision's ResNets, with the state-dict layout of the published checkpoints."""

from __future__ import annotations

from typing import Any

import torchvision
from torch import Tensor, nn

from segadapt.config import Heads
from segadapt.models.aspp import DILATIONS
from segadapt.models.base import Segmenter

BACKBONES = ("resnet50", "resnet101", "resnet152", "resnet18", "resnet34")


class ResNetSegmenter(Segmenter):
    """DeepLab-v2 with a dilated ResNet trunk (output stride 8).

    Entry names are the published ones: ``conv1`` ... ``layer4``, ``layer5`` (auxiliary classifier
    on conv4's features) and ``layer6`` (main classifier on conv5's).
    """

    trunk = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")

    def __init__(
        self,
        backbone: str,
        num_classes: int,
        heads: Heads = "multi_level",
        dilations: tuple[int, ...] = DILATIONS,
        batch_norm: str = "batch",
        blocks: tuple[int, int, int, int] | None = None,
        attention_modules: int = 2,
    ) -> None:
        """``blocks`` overrides the number of residual blocks per layer (small test networks)."""
        super().__init__(num_classes, heads, dilations, attention_modules)
        net = _dilated_resnet(backbone, blocks)
        self.conv1, self.bn1, self.relu, self.maxpool = net.conv1, net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2 = net.layer1, net.layer2
        self.layer3, self.layer4 = net.layer3, net.layer4
        expansion: int = net.layer1[0].expansion  # type: ignore[assignment]
        self.add_classifiers(last=512 * expansion, middle=256 * expansion)
        self.batch_norm = batch_norm
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                # Scale and shift are never trained (published setting); statistics may be.
                module.requires_grad_(False)

    def train(self, mode: bool = True) -> ResNetSegmenter:
        """Train mode; with ``batch_norm="frozen"`` the stored statistics are used throughout."""
        super().train(mode)
        if self.batch_norm == "frozen":
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def extract(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :meth:`Segmenter.extract`."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.layer4(x), x


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
