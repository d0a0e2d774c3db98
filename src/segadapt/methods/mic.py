"""MIC: masked image consistency, over DACS or DAFormer (Hoyer et al., CVPR 2023)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.methods.base import Backward
from segadapt.methods.config.mic import MICConfig
from segadapt.methods.dacs import PseudoLabels
from segadapt.methods.daformer import DAFormer
from segadapt.self_training.block_masks import block_mask
from segadapt.self_training.chance import Chance


class MIC(DAFormer):
    """The student must see in a target image with holes what the teacher sees in all of it."""

    Config = MICConfig

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch,
        target: UnlabelledBatch | None,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Source, mixed, then masked images (Eq. 8). See :meth:`Method.step`."""
        assert target is not None
        model = nets["model"]
        chance = self.begin_step(model, len(source.image))
        losses = self.source_step(nets, source, backward)
        pseudo = self.pseudo_labels(target)
        losses |= self.mixed_step(model, source, target, pseudo, chance, backward)
        losses |= self.masked_step(model, target, pseudo, chance, backward)
        return losses | {"share_sure": pseudo.sure}

    def masked_step(
        self,
        model: nn.Module,
        target: UnlabelledBatch,
        pseudo: PseudoLabels,
        chance: Chance,
        backward: Backward,
    ) -> dict[str, Tensor]:
        """Cross-entropy of the masked target under the teacher's labels (Eq. 5 to 7)."""
        image = self.augmented(target.image, chance, draw=1)
        number, _, height, width = image.shape
        stays = block_mask(
            number, (height, width), self.config.block, self.config.mask_ratio, chance
        )
        image = image * stays[:, None].to(image)
        return self.weighted_step(
            model,
            image,
            pseudo.label,
            pseudo.weight,
            ("mask", self.config.lambda_mask),
            backward,
        )
