"""Training on the source alone: the baseline, and the oracle when given the target."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.methods.base import Backward, Method, TrainingFacts, no_target
from segadapt.methods.config.source_only import SourceOnlyConfig


class SourceOnly(Method):
    """Supervised training on the source (ADVENT, Eq. 1)."""

    Config = SourceOnlyConfig

    def check(self, training: TrainingFacts) -> str | None:
        """See :meth:`Method.check`."""
        return no_target(training) or self.misfit_of_class_prior(training)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`; ``target`` is not looked at."""
        return self.supervised_step(nets, source, self.config.lambda_seg, backward)[1]
