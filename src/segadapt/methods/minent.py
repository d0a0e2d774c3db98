"""MinEnt: direct entropy minimisation (Vu et al., ADVENT, CVPR 2019, Sec. 3.1)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.entropy import mean_of_highest
from segadapt.losses.entropy_of_scores import entropy_of_scores
from segadapt.methods.base import Backward, Method
from segadapt.methods.config.minent import MinEntConfig


class MinEnt(Method):
    """Supervised loss on the source plus the mean entropy of the target's maps (Eq. 4).

    With ``entropy_share`` it is MinEnt+ER, with ``class_prior`` MinEnt+CP (Sec. 4.2, 3.3).
    """

    Config = MinEntConfig
    shardable = True

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`."""
        assert target is not None
        losses = self.supervised_losses(nets, source, self.config.lambda_seg, backward)
        levels = self.task.levels(nets["model"], target.image)
        share = self.config.entropy_share
        entropy = {x.name: mean_of_highest(entropy_of_scores(x.logit), share) for x in levels}
        losses |= self.target_step(levels, entropy, self.config.lambda_ent, backward)
        return losses | {f"loss_ent_{name}": loss.detach() for name, loss in entropy.items()}
