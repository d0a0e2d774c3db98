"""CIRN's ancillary classifier: one that looks through attention maps (Gao et al., AAAI 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.layers.aspp import ASPPClassifier

REDUCTION = 16
"""Channels of an attention module's inner layer: those of the features over this."""


class AttentionModule(nn.Module):
    """Features (N, channels, h, w) -> an attention map (N, 1, h, w) in [0, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // REDUCTION)
        self.reduce = nn.Conv2d(channels, inner, 1)
        self.judge = nn.Conv2d(inner, 1, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        attention: Tensor = self.judge(self.reduce(features).relu()).sigmoid()
        return attention


class AncillaryClassifier(nn.Module):
    """ACM (CIRN, Fig. 3): a classifier sees the features through K attention maps, summed.

    Args:
        channels: of the features.
        num_classes: channels of the output.
        dilations: of the classifier.
        modules: K; with 0 it is the classifier alone.
    """

    def __init__(
        self, channels: int, num_classes: int, dilations: tuple[int, ...], modules: int
    ) -> None:
        super().__init__()
        self.classifier = ASPPClassifier(channels, num_classes, dilations)
        self.attention = nn.ModuleList(AttentionModule(channels) for _ in range(modules))

    def attention_maps(self, features: Tensor) -> list[Tensor]:
        """The K maps, (N, 1, h, w) each, in [0, 1]."""
        return [module(features) for module in self.attention]

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, num_classes, h, w)."""
        maps = self.attention_maps(features)
        if not maps:
            return self.classifier(features)  # type: ignore[no-any-return]
        total: Tensor = self.classifier(maps[0] * features)
        for map_ in maps[1:]:
            total = total + self.classifier(map_ * features)
        return total
