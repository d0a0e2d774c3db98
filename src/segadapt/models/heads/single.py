"""One classifier on the last map."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.heads.base import Head, LevelLogits, only_for_boxes
from segadapt.models.heads.config.single import SingleConfig
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.layers.vector import VectorClassifier
from segadapt.models.layers.xavier import draw_xavier
from segadapt.models.trunks.base import Trunk


class Single(Head):
    """DeepLab-v2's classifier on the last map.

    On trunks that see an image as a whole it is CyCADA's.
    """

    Config = SingleConfig

    def __init__(self, config: SingleConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        channels = trunk.channels[-1]
        self.main: nn.Module = (
            ASPPClassifier(channels, num_classes, config.dilations)
            if trunk.side is None
            else VectorClassifier(channels, num_classes)
        )

    @classmethod
    def misfit(cls, trunk: Trunk) -> str | None:
        """It goes with every trunk that is not for boxes."""
        return only_for_boxes(trunk)

    def initialise(self) -> None:
        """As the released programs start it."""
        if isinstance(self.main, VectorClassifier):
            draw_xavier(self.main)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        return LevelLogits(self.main(maps[-1]))
