"""The rival of the AdvEnt step: what the paper's recipe says, written straight.

Float32, contiguous layout, each dilated convolution by itself, discriminators frozen by
``requires_grad``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.losses.entropy import weighted_self_information
from segadapt.models.layers.aspp import ASPPClassifier
from segadapt.models.segmenter import Segmenter

Step = Callable[[LabelledBatch, UnlabelledBatch], None]


def plain_step(
    model: Segmenter,
    discriminators: dict[str, nn.Sequential],
    optimizers: dict[str, torch.optim.Optimizer],
) -> Step:
    """One iteration of the plain loop, on networks of two levels."""
    for module in model.modules():
        if isinstance(module, ASPPClassifier):
            convolutions = list(module.conv2d_list)
            module.forward = (  # type: ignore[method-assign]
                lambda x, c=convolutions: sum(  # type: ignore[misc]
                    (layer(x) for layer in c[1:]), c[0](x)
                )
            )
    model.train()

    def up(x: Tensor, image: Tensor) -> Tensor:
        return F.interpolate(x, image.shape[-2:], mode="bilinear", align_corners=True)

    def judge(name: str, map_: Tensor, label: float) -> Tensor:
        logit = discriminators[f"discriminator_{name}"](map_)
        return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, label))

    def step(source: LabelledBatch, target: UnlabelledBatch) -> None:
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        for discriminator in discriminators.values():
            discriminator.requires_grad_(False)
        output = model(source.image)
        logits = {"main": up(output.main, source.image), "aux": up(output.aux, source.image)}
        losses = {n: F.cross_entropy(x, source.label, ignore_index=255) for n, x in logits.items()}
        (losses["main"] + 0.1 * losses["aux"]).backward()
        output = model(target.image)
        target_maps = {
            n: weighted_self_information(up(x, target.image).softmax(dim=1))
            for n, x in (("main", output.main), ("aux", output.aux))
        }
        adversarial = {n: judge(n, m, 0.0) for n, m in target_maps.items()}
        (0.001 * adversarial["main"] + 0.0002 * adversarial["aux"]).backward()
        for discriminator in discriminators.values():
            discriminator.requires_grad_(True)
        for name, logit in logits.items():
            source_map = weighted_self_information(logit.detach().softmax(dim=1))
            (judge(name, source_map, 0.0) / 2).backward()
            (judge(name, target_maps[name].detach(), 1.0) / 2).backward()
        for optimizer in optimizers.values():
            optimizer.step()

    return step
