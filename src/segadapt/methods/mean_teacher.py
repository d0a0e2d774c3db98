"""A mean teacher: self-training on its sure labels of the target, of whatever kind these are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.methods.base import Backward, Method, weighted_sum
from segadapt.methods.config.mean_teacher import MeanTeacherConfig
from segadapt.methods.dacs import augmented
from segadapt.self_training import teacher as averaging
from segadapt.self_training.chance import Chance
from segadapt.tasks.segmentation import SegmentationTask


class MeanTeacher(Method):
    """Source images are learned, and target images under what an averaged network is sure of.

    The averaged network (Tarvainen and Valpola, NeurIPS 2017) labels the target as it is; the
    student learns that with other colours, as in DACS and, for boxes, in Unbiased Teacher (Liu et
    al., ICLR 2021), without their mixing and focal loss. What a label is, its task knows.
    """

    Config = MeanTeacherConfig
    shardable = True

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.teacher: averaging.MeanTeacher | None = None

    @property
    def averaged(self) -> nn.Module | None:
        """The teacher's network."""
        return None if self.teacher is None else self.teacher.network

    def begin(self, model: nn.Module) -> None:
        """The teacher starts as a copy of the model."""
        self.teacher = averaging.MeanTeacher(model, self.config.alpha)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`."""
        assert target is not None
        assert self.teacher is not None, "begin was not called"
        self.teacher.begin_step(nets["model"])
        first = self.task.rank * len(target.image)
        chance = Chance(self.task.seed, self.teacher.steps.count - 1, first)
        losses = self.supervised_losses(nets, source, self.config.lambda_seg, backward)
        with torch.no_grad():
            seen = self.task.levels(self.teacher.network, target.image)[0]
            label = self.task.pseudo_label(seen, self.config.threshold)
        image = augmented(target.image, self.config.augmentation, self.task, chance)
        levels = self.task.levels(nets["model"], image)
        found = {x.name: self.task.supervised_loss(x, label) for x in levels}
        backward(self.config.lambda_pseudo * weighted_sum(levels, found, self.config.lambda_seg))
        losses |= {f"loss_pseudo_{name}": loss.detach() for name, loss in found.items()}
        return losses | {"share_sure": self.task.share_known(label).float()}
