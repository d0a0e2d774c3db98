"""CIRN's two classifiers, the second of which looks through attention maps."""

from __future__ import annotations

from torch import Tensor

from segadapt.models.heads.base import Head, LevelLogits, flat
from segadapt.models.heads.config.ancillary import AncillaryConfig
from segadapt.models.layers.ancillary import AncillaryClassifier
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.trunks.base import Trunk


class Ancillary(Head):
    """DeepLab-v2's classifier and CIRN's ancillary one, summed.

    Gao et al., AAAI 2021, Fig. 3.
    """

    Config = AncillaryConfig
    is_sum = True

    def __init__(self, config: AncillaryConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        channels = trunk.channels[-1]
        self.second = AncillaryClassifier(
            channels, num_classes, config.dilations, config.attention_modules
        )
        self.main = ASPPClassifier(channels, num_classes, config.dilations)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        main = self.main(maps[-1])
        second = self.second(maps[-1])
        return LevelLogits(second + main, summands=(main, second))

    def classifier_weights(self) -> tuple[Tensor, Tensor]:
        """Those of the attention modules are not among them."""
        return flat(self.main), flat(self.second.classifier)

    def attention_maps(self, maps: list[Tensor]) -> list[Tensor]:
        """The K maps of the ancillary classifier."""
        return self.second.attention_maps(maps[-1])
