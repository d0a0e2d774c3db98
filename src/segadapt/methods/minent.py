"""MinEnt: direct entropy minimisation (Vu et al., ADVENT, CVPR 2019, Sec. 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from segadapt.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.entropy import entropy_loss
from segadapt.methods.base import Backward, LevelWeights, Method, TargetConfig


class MinEntConfig(TargetConfig):
    """Settings of the paper (main level) and of the released program (auxiliary level)."""

    lambda_seg: LevelWeights = LevelWeights(main=1.0, aux=0.1)
    lambda_ent: LevelWeights = LevelWeights(main=0.001, aux=0.0002)
    entropy_share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Share of each target image's pixels, those of highest entropy, that count (0.3 for +ER)."""


class MinEnt(Method):
    """Supervised loss on the source plus the mean entropy of the target's maps (Eq. 4).

    With ``entropy_share`` it is MinEnt+ER, with ``class_prior`` MinEnt+CP (Sec. 4.2, 3.3).
    """

    Config = MinEntConfig

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`."""
        assert target is not None
        _, losses = self.supervised_step(nets, source, self.config.lambda_seg, backward)
        levels = self.task.levels(nets["model"], target.image)
        share = self.config.entropy_share
        entropy = {x.name: entropy_loss(x.probability, share) for x in levels}
        losses |= self.target_step(levels, entropy, self.config.lambda_ent, backward)
        return losses | {f"loss_ent_{name}": loss.detach() for name, loss in entropy.items()}
