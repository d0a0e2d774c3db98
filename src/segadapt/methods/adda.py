"""ADDA: a copy of the source's network learns to be taken for it (Tzeng et al., CVPR 2017)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.adversarial import domain_loss
from segadapt.methods.base import Backward, LevelWeights, Method, TrainingFacts
from segadapt.methods.config.adda import ADDAConfig
from segadapt.models.frozen import without_gradient
from segadapt.tasks.segmentation import SegmentationTask


class ADDA(Method):
    """The model sees the target alone; a frozen copy of it, as it was at the start, the source.

    Source labels have no part in it, as they were learned before, unless ``lambda_seg`` asks for
    them to be kept in mind.
    """

    Config = ADDAConfig

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.source_model: nn.Module | None = None

    def check(self, training: TrainingFacts) -> str | None:
        """It goes on from a network that was trained on the source, one that sees whole images."""
        if not training.whole_images:
            return (
                f"method: {training.method} is for images with one label each, and these have one "
                "for every pixel; choose another method (adaptsegnet, say)"
            )
        if training.start_from is None:
            return (
                f"start_from: is required by method {training.method}; name a checkpoint trained "
                "on the source"
            )
        return super().check(training)

    def begin(self, model: nn.Module) -> None:
        """Keep the starting weights as the source's network; dropout stays on, as released."""
        self.source_model = copy.deepcopy(model).requires_grad_(False)

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """One discriminator of class scores per level."""
        return self.task.discriminators(level_names, self.config.discriminator_width)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """The discriminator's loss, then the model's. See :meth:`Method.step`."""
        assert target is not None and self.source_model is not None
        losses: dict[str, Tensor] = {}
        if self.config.lambda_seg:
            weights = LevelWeights(main=self.config.lambda_seg, aux=0.0)
            losses |= self.supervised_losses(nets, source, weights, backward)
        fooling: list[Tensor] = []
        with torch.no_grad():
            of_source = self.task.levels(self.source_model, source.image)
        of_target = self.task.levels(nets["model"], target.image)
        for known, level in zip(of_source, of_target, strict=True):
            discriminator = nets[f"discriminator_{level.name}"]
            on_source = discriminator(known.logit)
            on_target = discriminator(level.logit.detach())
            told = (domain_loss(on_source, "source") + domain_loss(on_target, "target")) / 2
            backward(told)
            losses[f"loss_d_{level.name}"] = told.detach()
            # The source is 0 for discriminators here, so a raw output below zero says source.
            right = torch.cat([on_source.detach() < 0, on_target.detach() > 0]).float().mean()
            if self.task.process_mean is not None:
                right = self.task.process_mean(right)
            taken = domain_loss(without_gradient(discriminator, level.logit), "source")
            losses[f"loss_adv_{level.name}"] = taken.detach()
            if bool(right > self.config.confident_above):  # the same on all processes
                fooling.append(taken)
        if fooling:
            backward(torch.stack(fooling).sum())
        return losses
