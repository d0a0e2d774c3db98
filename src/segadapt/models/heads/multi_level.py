"""Two levels: an auxiliary classifier on the middle map beside the main one."""

from __future__ import annotations

from torch import Tensor

from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.heads.config.multi_level import MultiLevelConfig
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.trunks.base import Trunk


class MultiLevel(Head):
    """DeepLab-v2's classifiers on the last and the middle map.

    ADVENT, Sec. 4.1.
    """

    Config = MultiLevelConfig
    level_names = ("main", "aux")

    def __init__(self, config: MultiLevelConfig, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        assert trunk.middle is not None, "see misfit"
        self._middle = trunk.middle
        self.aux = ASPPClassifier(trunk.channels[trunk.middle], num_classes, config.dilations)
        self.main = ASPPClassifier(trunk.channels[-1], num_classes, config.dilations)

    @classmethod
    def misfit(cls, trunk: Trunk) -> str | None:
        """It needs a middle map."""
        misfit = super().misfit(trunk)
        if misfit is None and trunk.middle is None:
            return "has one level; set heads to single (or sum)"
        return misfit

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        """See :meth:`Head.forward`."""
        return LevelLogits(self.main_scores(maps), self.aux(maps[self._middle]))

    def main_scores(self, maps: list[Tensor]) -> Tensor:
        """See :meth:`Head.main_scores`: the auxiliary classifier has nothing to do."""
        scores: Tensor = self.main(maps[-1])
        return scores
