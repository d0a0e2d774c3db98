"""Training on the source alone: the baseline, and the oracle when given the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.methods.base import Backward, Method, TrainingFacts, no_target
from segadapt.methods.config.source_only import SourceOnlyConfig
from segadapt.methods.dacs import augmented
from segadapt.self_training.chance import Chance
from segadapt.self_training.teacher import MeanTeacher
from segadapt.tasks.segmentation import SegmentationTask
from segadapt.tasks.steps import Steps


class SourceOnly(Method):
    """Supervised training on the source (ADVENT, Eq. 1).

    With the augmentation and the averaged network of self-training where asked for: what of its
    gain needs no target.
    """

    Config = SourceOnlyConfig
    shardable = True

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.average: MeanTeacher | None = None
        self.steps = Steps() if config.augmentation is not None else None

    @property
    def averaged(self) -> nn.Module | None:
        """The average over the training, where it is asked for."""
        return None if self.average is None else self.average.network

    def check(self, training: TrainingFacts) -> str | None:
        """See :meth:`Method.check`."""
        return no_target(training) or self.misfit_of_class_prior(training)

    def begin(self, model: nn.Module) -> None:
        """The average starts as a copy of the model."""
        if self.config.alpha is not None:
            self.average = MeanTeacher(model, self.config.alpha)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`; ``target`` is not looked at."""
        if self.average is not None:
            # It sees no images, so its batch statistics are the model's.
            self.average.begin_step(nets["model"], with_buffers=True)
        if self.steps is not None:
            first = self.task.rank * len(source.image)
            chance = Chance(self.task.seed, self.steps.next(), first)
            changed = augmented(source.image, self.config.augmentation, self.task, chance)
            source = source._replace(image=changed)
        return self.supervised_losses(nets, source, self.config.lambda_seg, backward)
