"""Training on the source alone: the baseline, and the oracle when given the target."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.methods.base import Backward, LevelWeights, Method
from segadapt.section import Section


class SourceOnlyConfig(Section):
    """Settings; the weight of the auxiliary level is that of the released programs."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)


class SourceOnly(Method):
    """Supervised training on the source (ADVENT, Eq. 1)."""

    Config = SourceOnlyConfig
    uses_target = False

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`; ``target`` is not looked at."""
        return self.supervised_step(nets, source, self.config.lambda_seg, backward)[1]
