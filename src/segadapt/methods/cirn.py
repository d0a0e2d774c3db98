"""CIRN, stage 2: adapt where two classifiers disagree (Gao et al., AAAI 2021, Eq. 6 to 8).

The losses are those of CLAN (Luo et al., CVPR 2019), whose own training is another:
:mod:`segadapt.methods.clan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.adversarial import domain_loss
from segadapt.losses.two_views import cosine_distance, weight_discrepancy, weighted_domain_loss
from segadapt.methods.base import Backward, LevelWeights, Method, TrainingFacts, needs_pixels
from segadapt.methods.config.cirn import CIRNConfig
from segadapt.models.frozen import without_gradient
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import Level, upsample


class CIRN(Method):
    """The model's prediction is the sum of two classifiers, whose distance weighs the adversary."""

    Config = CIRNConfig

    def check(self, training: TrainingFacts) -> str | None:
        """It needs two classifiers."""
        misfit = needs_pixels(training)
        if misfit is None and not training.sums_two:
            misfit = (
                f"model.heads: method {training.method} needs two classifiers whose sum is the "
                f"prediction, not {training.heads}; set heads to ancillary (or sum)"
            )
        return misfit or super().check(training)

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """One discriminator, ``discriminator_main``: the prediction has one level."""
        width = self.config.discriminator_width
        return self.task.discriminators(level_names, width)

    def weights(self, level: Level) -> Tensor:
        """lambda_cos * R(p1, p2) + epsilon at every pixel, (N, H, W)."""
        assert level.summands is not None
        first, second = (logit.softmax(dim=1) for logit in level.summands)
        distance = cosine_distance(first, second)
        return distance * self.config.lambda_cos + self.config.epsilon  # type: ignore[no-any-return]

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Eq. 8, then the discriminator's losses. See :meth:`Method.step`.

        The weights of Eq. 7 carry gradient to the segmenter: the text wants the two classifiers to
        "make as similar predictions as possible", which a constant weight would not ask for. The
        discriminator takes them as constants.
        """
        assert target is not None
        model, discriminator = nets["model"], nets["discriminator_main"]
        assert isinstance(model, Segmenter)
        one = LevelWeights(main=1.0, aux=0.0)
        source_levels, losses = self.supervised_step(nets, source, one, backward)
        (level,) = self.task.levels(model, target.image)
        size = target.image.shape[-2:]
        weight = self.weights(level)
        probability = level.probability
        judged = upsample(without_gradient(discriminator, probability), size)[:, 0]
        adversarial = weighted_domain_loss(judged, "source", weight)
        discrepancy = weight_discrepancy(*model.head.classifier_weights())
        backward(self.config.lambda_adv * adversarial + self.config.lambda_weight * discrepancy)
        losses["loss_adv_main"] = adversarial.detach()
        losses["loss_weight_main"] = discrepancy.detach()
        with torch.no_grad():
            source_map = source_levels[0].probability
        judged = upsample(discriminator(source_map), source_map.shape[-2:])
        on_source = domain_loss(judged, "source") / 2
        backward(on_source)
        judged = upsample(discriminator(probability.detach()), size)[:, 0]
        on_target = weighted_domain_loss(judged, "target", weight.detach()) / 2
        backward(on_target)
        losses["loss_d_source_main"] = on_source.detach()
        losses["loss_d_target_main"] = on_target.detach()
        return losses
