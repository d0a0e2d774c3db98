"""AdaptSegNet: adversarial learning in output space (Tsai et al., CVPR 2018)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.adversarial import DomainLabel, domain_loss
from segadapt.methods.base import Backward, Method
from segadapt.methods.config.adaptsegnet import AdaptSegNetConfig
from segadapt.models.frozen import without_gradient
from segadapt.tasks.segmentation import Level


class AdaptSegNet(Method):
    """The segmenter fools discriminators that tell source from target by the softmax maps.

    ADVENT's objective (Eq. 7 to 9) is the same with other maps: see :meth:`domain_map`.
    """

    Config = AdaptSegNetConfig
    shardable = True

    def extra_networks(self, level_names: Iterable[str]) -> dict[str, nn.Module]:
        """One discriminator per level: ``discriminator_main`` and ``discriminator_aux``."""
        width = self.config.discriminator_width
        return self.task.discriminators(level_names, width)

    def domain_map(self, logit: Tensor) -> Tensor:
        """What the discriminators see of class scores (N, C, H, W): here, probabilities."""
        return logit.softmax(dim=1)

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """See :meth:`Method.step`. Discriminators get no gradient from the adversarial term."""
        assert target is not None
        source_levels, losses = self.supervised_step(nets, source, self.config.lambda_seg, backward)
        levels = self.task.levels(nets["model"], target.image)
        maps = {x.name: self.domain_map(x.logit) for x in levels}
        adversarial = {
            name: domain_loss(
                without_gradient(nets[f"discriminator_{name}"], map_), "source", self.config.gan
            )
            for name, map_ in maps.items()
        }
        losses |= self.target_step(levels, adversarial, self.config.lambda_adv, backward)
        losses |= {f"loss_adv_{name}": loss.detach() for name, loss in adversarial.items()}
        target_maps = {name: map_.detach() for name, map_ in maps.items()}
        return losses | self._train_discriminators(nets, source_levels, target_maps, backward)

    def _train_discriminators(
        self,
        nets: Mapping[str, nn.Module],
        source_levels: list[Level],
        target_maps: dict[str, Tensor],
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Eq. 7 of ADVENT; each of the two terms is halved, as in the released programs."""
        losses = {}
        for level in source_levels:
            discriminator = nets[f"discriminator_{level.name}"]
            with torch.no_grad():
                source_map = self.domain_map(level.logit)
            seen: dict[DomainLabel, Tensor] = {
                "source": source_map,
                "target": target_maps[level.name],
            }
            for domain, map_ in seen.items():
                loss = domain_loss(discriminator(map_), domain, self.config.gan) / 2
                backward(loss)
                losses[f"loss_d_{domain}_{level.name}"] = loss.detach()
        return losses
