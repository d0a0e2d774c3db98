"""PixIntraDA: from easy to hard pixels of the target (Yan et al., ACM MM 2021, Sec. 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.confidence_regularisation import kld_regularisation
from segadapt.losses.pixel_adversarial import (
    indexed_discriminator_loss,
    indexed_fooling_loss,
    pixel_discriminator_loss,
    pixel_fooling_loss,
)
from segadapt.losses.segmentation import IGNORE
from segadapt.methods.base import (
    Backward,
    Method,
    TrainingFacts,
    needs_pixels,
    no_target,
    weighted_sum,
)
from segadapt.methods.config.pixintrada import PixIntraDAConfig
from segadapt.models.frozen import without_gradient
from segadapt.tasks.segmentation import upsample


class PixIntraDA(Method):
    """Easy pixels are learned from pseudo-labels; hard ones are to look easy to a discriminator.

    Its source is the output of a ``pixel_split`` stage: target images with pseudo-labels at easy
    pixels, 255 at hard ones (M = 1), and the continuous index Z. There is no other domain.
    """

    Config = PixIntraDAConfig

    def check(self, training: TrainingFacts) -> str | None:
        """It needs the index of every pixel."""
        misfit = needs_pixels(training) or no_target(training)
        if misfit is not None:
            return misfit
        if not training.domain_index:
            return (
                f"source: {training.source!r} does not say how hard each pixel is; method "
                f"{training.method} trains on the labels of a pixel_split stage (STAGE.labels)"
            )
        if training.jitter:
            return (
                "jitter: what comes in from outside an image is neither easy nor hard, and method "
                f"{training.method} needs to know of every pixel; leave jitter out"
            )
        return self.misfit_of_class_prior(training)

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """One discriminator per level: ``discriminator_main`` and ``discriminator_aux``."""
        width = self.config.discriminator_width
        return self.task.discriminators(level_names, width)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Eq. 9 for the segmenter, then for the discriminators. See :meth:`Method.step`."""
        assert source.domain_index is not None
        hard = source.label == IGNORE
        mean = self.task.process_mean
        config = self.config
        levels = self.task.levels(nets["model"], source.image)
        maps = {level.name: level.probability for level in levels}
        segmentation = {x.name: self.task.supervised_loss(x, source.label) for x in levels}
        total = weighted_sum(levels, segmentation, config.lambda_seg)
        losses = {f"loss_seg_{name}": loss for name, loss in segmentation.items()}
        if config.lambda_kld > 0:
            terms = {
                x.name: kld_regularisation(x.logit, x.part_of(source.label), mean) for x in levels
            }
            total = total + config.lambda_kld * weighted_sum(levels, terms, config.lambda_seg)
            losses |= {f"loss_kld_{name}": loss for name, loss in terms.items()}
        fooling = {}
        for level in levels:
            map_ = maps[level.name]
            output = without_gradient(nets[f"discriminator_{level.name}"], map_)
            logit = upsample(output, map_.shape[-2:])[:, 0]
            fooling[level.name] = (
                indexed_fooling_loss(logit, level.part_of(hard), mean)
                if config.continuous
                else pixel_fooling_loss(logit, level.part_of(hard), mean)
            )
        total = total + weighted_sum(levels, fooling, config.beta)
        judged = source.domain_index if config.continuous else hard
        wanted = {x.name: x.part_of(judged) for x in levels}
        del levels, level  # their scores, of the image's size, which the backward pass does without
        # One graph for all terms of the segmenter: the images are the same.
        backward(total)
        losses |= {f"loss_adv_{name}": loss for name, loss in fooling.items()}
        for name, answer in wanted.items():
            map_ = maps[name].detach()
            logit = upsample(nets[f"discriminator_{name}"](map_), map_.shape[-2:])[:, 0]
            loss = (
                indexed_discriminator_loss(logit, answer, mean)
                if config.continuous
                else pixel_discriminator_loss(logit, answer, mean)
            )
            backward(loss)
            losses[f"loss_d_{name}"] = loss
        return {name: loss.detach() for name, loss in losses.items()}
