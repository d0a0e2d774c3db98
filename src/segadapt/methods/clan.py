"""CLAN: adapt where two classifiers disagree (Luo et al., CVPR 2019), as its program does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.adversarial import domain_loss
from segadapt.losses.focal import focal_loss
from segadapt.losses.two_views import cosine_distance, weight_discrepancy, weighted_domain_loss
from segadapt.methods.base import Backward, Method, TrainingFacts, needs_pixels
from segadapt.methods.config.clan import CLANConfig
from segadapt.models.frozen import without_gradient
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import Level, SegmentationTask, upsample
from segadapt.tasks.steps import Steps


class CLAN(Method):
    """Two classifiers, each supervised alone, whose sum is the prediction; their distance weighs
    the adversary.

    What falls over the training is ``damping``; the rates' warm-up is the stage's schedule.
    """

    Config = CLANConfig

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.steps = Steps()

    def check(self, training: TrainingFacts) -> str | None:
        """It needs two classifiers."""
        misfit = needs_pixels(training)
        if misfit is None and not training.sums_two:
            misfit = (
                f"model.heads: method {training.method} needs two classifiers whose sum is the "
                f"prediction, not {training.heads}; set heads to sum"
            )
        return misfit or super().check(training)

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """One discriminator, ``discriminator_main``: the prediction has one level."""
        return self.task.discriminators(level_names, self.config.discriminator_width)

    def weights(self, level: Level, step: int) -> Tensor:
        """lambda_local * M + epsilon at every pixel (Eq. 6, 7), (N, H, W); 1 in the preheat."""
        assert level.summands is not None
        first, second = (logit.softmax(dim=1) for logit in level.summands)
        if step <= int(self.config.preheat * self.task.iterations):
            return torch.ones_like(first[:, 0])
        distance = cosine_distance(first, second)
        weight: Tensor = distance * self.config.lambda_local + self.config.epsilon
        return weight

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Eq. 8, with a damping of the losses of the target, then the discriminator's losses.

        See :meth:`Method.step`.
        """
        assert target is not None
        model, discriminator = nets["model"], nets["discriminator_main"]
        assert isinstance(model, Segmenter)
        number = self.steps.next()
        damping = 1 - number / self.task.iterations
        size = target.image.shape[-2:]
        (known,) = self.task.levels(model, source.image)
        assert known.summands is not None
        first, second = (
            focal_loss(x, source.label, self.config.gamma, self.task.process_mean)
            for x in known.summands
        )
        backward(first + second)
        (level,) = self.task.levels(model, target.image)
        weight = self.weights(level, number)
        judged = upsample(without_gradient(discriminator, level.probability), size)[:, 0]
        adversarial = weighted_domain_loss(judged, "source", weight)
        # One more than the cosine, "for a positive loss": its gradient is the same.
        discrepancy = 1 + weight_discrepancy(*model.head.classifier_weights())
        backward(
            damping
            * (self.config.lambda_adv * adversarial + self.config.lambda_weight * discrepancy)
        )
        map_ = known.probability.detach()
        judged = upsample(discriminator(map_), map_.shape[-2:])
        on_source = domain_loss(judged, "source")
        backward(on_source)
        judged = upsample(discriminator(level.probability.detach()), size)[:, 0]
        on_target = weighted_domain_loss(judged, "target", weight.detach())
        backward(on_target)
        losses = {
            "loss_seg_first": first,
            "loss_seg_second": second,
            "loss_adv_main": adversarial,
            "loss_weight_main": discrepancy,
            "loss_d_source_main": on_source,
            "loss_d_target_main": on_target,
        }
        return {name: loss.detach() for name, loss in losses.items()}
