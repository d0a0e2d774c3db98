"""CycleGAN's training step (CIRN, stage 1; Zhu et al., ICCV 2017; CyCADA, Hoffman et al., 2018)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.config.translation import CycleGANConfig
from segadapt.losses.translation import cycle_loss, realness_loss
from segadapt.models.adversaries.patch_discriminator import build_patch_discriminator
from segadapt.models.frozen import without_gradient
from segadapt.models.generator import build_generator
from segadapt.translation.image_pool import ImagePool
from segadapt.translation.semantics import SemanticJudge

Shape = tuple[int, int, int]


class _Way(NamedTuple):
    """One direction of translation: which networks, and what its images must be seen as."""

    to: str
    back: str
    image: Tensor
    answer: Tensor | None


class CycleGAN(nn.Module):
    """Both generators and both discriminators, one step at a time.

    G and F of the paper are ``to_target`` and ``to_source``, D_T and D_S ``real_target`` and
    ``real_source``. All four are updated at once from the same images: the discriminators' losses
    look at what the generators made *before* their update, as in the published program, where the
    generators' step comes first.

    Args:
        config: the stage's settings.
        shapes: (channels, height, width) of what is trained on, of source and of target.
        seed: decides which images the pools exchange.
        judge: for the semantic consistency; None without it.
        everyone: joins tensors of all processes along the batch; None where there is one process.
            Pools hold the images of all processes, and so are the same in each of them.
        rank: of this process.
    """

    def __init__(
        self,
        config: CycleGANConfig,
        shapes: tuple[Shape, Shape],
        seed: int,
        judge: SemanticJudge | None = None,
        everyone: Callable[[Tensor], Tensor] | None = None,
        rank: int = 0,
    ) -> None:
        super().__init__()
        self.config = config
        # Images made for the target have the source's shape, and the other way round.
        self.pools = nn.ModuleDict(
            {
                "target": ImagePool(config.pool, shapes[0], seed),
                "source": ImagePool(config.pool, shapes[1], seed + 1),
            }
        )
        self._judge = judge
        self._everyone = everyone
        self._rank = rank

    def networks(self) -> dict[str, nn.Module]:
        """The four networks, drawn from torch's random state."""
        width, blocks = self.config.generator.width, self.config.generator.blocks
        return {
            "to_target": build_generator(width, blocks),
            "to_source": build_generator(width, blocks),
            "real_target": build_patch_discriminator(self.config.discriminator_width),
            "real_source": build_patch_discriminator(self.config.discriminator_width),
        }

    def step(
        self,
        nets: Mapping[str, nn.Module],
        source: LabelledBatch | UnlabelledBatch,
        target: UnlabelledBatch,
        backward: Callable[[Tensor], None],
    ) -> dict[str, Tensor]:
        """CIRN's Eq. 5, then the discriminators' losses, halved as published.

        Args:
            nets: as :meth:`networks` made them.
            source: images in [-1, 1]; labels where they are the answer to the semantic loss.
            target: images in [-1, 1].
            backward: accumulates gradients of a scalar.

        Returns:
            Detached, unweighted losses by name.
        """
        ways = (
            _Way("target", "source", source.image, self._answer(source, is_source=True)),
            _Way("source", "target", target.image, self._answer(target, is_source=False)),
        )
        losses: dict[str, Tensor] = {}
        made = {}
        for way in ways:
            made[way.to] = self._generate(nets, way, losses, backward)
        for way in ways:
            real = source.image if way.to == "source" else target.image
            losses |= self._discriminate(nets, way.to, real, made[way.to], backward)
        return losses

    def _answer(self, batch: LabelledBatch | UnlabelledBatch, is_source: bool) -> Tensor | None:
        if self._judge is None:
            return None
        kind = self.config.semantic_answer
        if is_source and kind != "predictions":
            assert isinstance(batch, LabelledBatch)
            return batch.label
        if kind == "labels":
            return None
        answer: Tensor = self._judge.answer(batch.image)
        return answer

    def _generate(
        self,
        nets: Mapping[str, nn.Module],
        way: _Way,
        losses: dict[str, Tensor],
        backward: Callable[[Tensor], None],
    ) -> Tensor:
        """All losses of a direction on its generator (and on the other one, by the cycle)."""
        made = nets[f"to_{way.to}"](way.image).float()
        cycled = nets[f"to_{way.back}"](made).float()
        judged = without_gradient(nets[f"real_{way.to}"], made).float()
        terms = {
            f"loss_gan_{way.to}": (realness_loss(judged, True, self.config.gan), 1.0),
            f"loss_cycle_{way.back}": (cycle_loss(cycled, way.image), self.config.lambda_cycle),
        }
        if way.answer is not None and self._judge is not None:
            semantic = self._judge.loss(made, way.answer)
            terms[f"loss_sem_{way.to}"] = (semantic, self.config.lambda_sem)
        backward(torch.stack([loss * weight for loss, weight in terms.values()]).sum())
        if self.config.lambda_identity:
            # The generator that makes this domain should leave its own images alone.
            same = nets[f"to_{way.back}"](way.image).float()
            identity = cycle_loss(same, way.image)
            backward(identity * self.config.lambda_identity)
            terms[f"loss_identity_{way.back}"] = (identity, self.config.lambda_identity)
        losses |= {name: loss.detach() for name, (loss, _) in terms.items()}
        fixed: Tensor = made.detach()
        return fixed

    def _discriminate(
        self,
        nets: Mapping[str, nn.Module],
        name: str,
        real: Tensor,
        made: Tensor,
        backward: Callable[[Tensor], None],
    ) -> dict[str, Tensor]:
        discriminator = nets[f"real_{name}"]
        older = self._exchange(name, made)
        on_real = realness_loss(discriminator(real).float(), True, self.config.gan) / 2
        backward(on_real)
        on_made = realness_loss(discriminator(older).float(), False, self.config.gan) / 2
        backward(on_made)
        return {f"loss_d_{name}": (on_real + on_made).detach()}

    def _exchange(self, name: str, made: Tensor) -> Tensor:
        pool = self.pools[name]
        assert isinstance(pool, ImagePool)
        if self._everyone is None:
            return pool.exchange(made)
        # Every process does the same to its copy of the pool, and takes its own share.
        count = len(made)
        return pool.exchange(self._everyone(made))[self._rank * count : (self._rank + 1) * count]
