"""The simplest head: what a frozen or strong trunk is probed with."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.base.section import Section
from segadapt.models.heads.base import Head, LevelLogits, only_for_boxes
from segadapt.models.trunks.base import Trunk


class Linear(Head):
    """A 1x1 convolution of the last map."""

    def __init__(self, config: Section, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        self.main = nn.Conv2d(trunk.channels[-1], num_classes, 1)

    @classmethod
    def misfit(cls, trunk: Trunk) -> str | None:
        """It goes with every trunk that is not for boxes."""
        return only_for_boxes(trunk)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        return LevelLogits(self.main(maps[-1]))
