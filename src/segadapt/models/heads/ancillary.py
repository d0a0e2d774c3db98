"""CIRN's two classifiers, the second of which looks through attention maps."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.heads.base import flat
from segadapt.models.heads.config.ancillary import AncillaryConfig
from segadapt.models.heads.config.sum import SumConfig
from segadapt.models.heads.sum import Sum
from segadapt.models.layers.ancillary import AncillaryClassifier


class Ancillary(Sum):
    """DeepLab-v2's classifier and CIRN's ancillary one, summed.

    Gao et al., AAAI 2021, Fig. 3.
    """

    Config = AncillaryConfig
    second: AncillaryClassifier

    def second_classifier(self, config: SumConfig, channels: int, num_classes: int) -> nn.Module:
        """The ancillary one."""
        assert isinstance(config, AncillaryConfig)
        return AncillaryClassifier(
            channels, num_classes, config.dilations, config.attention_modules
        )

    def classifier_weights(self) -> tuple[Tensor, Tensor]:
        """Those of the attention modules are not among them."""
        return flat(self.main), flat(self.second.classifier)

    def attention_maps(self, maps: list[Tensor]) -> list[Tensor]:
        """The K maps of the ancillary classifier."""
        return self.second.attention_maps(maps[-1])
