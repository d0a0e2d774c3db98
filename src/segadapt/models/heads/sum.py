"""Two classifiers on the last map, whose sum is the prediction."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.heads.base import Head, LevelLogits, flat
from segadapt.models.heads.config.sum import SumConfig
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.trunks.base import Trunk


class Sum(Head):
    """Two of DeepLab-v2's classifiers, summed (CLAN's network).

    Luo et al., CVPR 2019.
    """

    Config = SumConfig
    is_sum = True

    def __init__(self, config: SumConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        self.second = self.second_classifier(config, trunk.channels[-1], num_classes)
        self.main = ASPPClassifier(trunk.channels[-1], num_classes, config.dilations)

    def second_classifier(self, config: SumConfig, channels: int, num_classes: int) -> nn.Module:
        """The one beside the main one, (N, channels, h, w) -> (N, num_classes, h, w)."""
        return ASPPClassifier(channels, num_classes, config.dilations)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        main = self.main(maps[-1])
        second = self.second(maps[-1])
        return LevelLogits(second + main, summands=(main, second))

    def classifier_weights(self) -> tuple[Tensor, Tensor]:
        """See :meth:`Head.classifier_weights`."""
        return flat(self.main), flat(self.second)
