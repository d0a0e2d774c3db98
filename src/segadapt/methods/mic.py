"""MIC: masked image consistency, over DACS or DAFormer (Hoyer et al., CVPR 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.base.transfer import sent
from segadapt.methods.base import Backward, TrainingFacts
from segadapt.methods.config.mic import MICConfig
from segadapt.methods.dacs import PseudoLabels
from segadapt.methods.daformer import DAFormer
from segadapt.models.segmenter import Segmenter
from segadapt.self_training.block_masks import block_mask, token_mask
from segadapt.self_training.chance import Chance
from segadapt.tasks.examples import Example


class MIC(DAFormer):
    """The student must see in a target image with holes what the teacher sees in all of it."""

    Config = MICConfig

    def check(self, training: TrainingFacts) -> str | None:
        """Patches are hidden behind the trunk's mask token."""
        if self.config.hidden == "tokens" and not training.mask_token:
            return (
                "method.hidden: tokens needs a ViT with a mask token; set model.mask_token to "
                "true, or hidden to blocks"
            )
        if self.config.hidden == "tokens" and training.two_resolutions:
            return (
                "method.hidden: tokens are those of one look at the image, and model.detail has "
                "several; set hidden to blocks, or leave model.detail out"
            )
        return super().check(training)

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
        hiding: AbstractContextManager[None] = nullcontext()
        if self.config.hidden == "tokens":
            assert isinstance(model, Segmenter)
            hiding = model.trunk.hiding(self._hidden_tokens(model, image, chance))
        else:
            image = self._with_holes(image, chance)
        with hiding:
            return self.weighted_step(
                model,
                image,
                pseudo.label,
                pseudo.weight,
                ("mask", self.config.lambda_mask),
                backward,
            )

    def _with_holes(self, image: Tensor, chance: Chance) -> Tensor:
        number, _, height, width = image.shape
        stays = block_mask(
            number, (height, width), self.config.block, self.config.mask_ratio, chance
        )
        return image * sent(stays, image.device)[:, None]

    def _hidden_tokens(self, model: Segmenter, image: Tensor, chance: Chance) -> Tensor:
        number, _, height, width = image.shape
        grid = model.token_grid((height, width))
        return token_mask(number, grid, self.config.mask_ratio, chance)

    def examples(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, target: UnlabelledBatch | None
    ) -> list[Example]:
        """The masked target beside what DACS shows; hidden patches of a ViT as holes."""
        assert target is not None
        chance = self._chance(len(source.image))
        image = self.augmented(target.image, chance, draw=1)
        if self.config.hidden == "tokens":
            model = nets["model"]
            assert isinstance(model, Segmenter)
            stays = ~self._hidden_tokens(model, image, chance)[:, None]
            side = model.trunk.token_side
            assert side is not None
            pixels = stays.repeat_interleave(side, -2).repeat_interleave(side, -1)
            image = image * pixels[..., : image.shape[-2], : image.shape[-1]].to(image)
        else:
            image = self._with_holes(image, chance)
        return [*super().examples(nets, source, target), Example("Masked", "image", image)]
