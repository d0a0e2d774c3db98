"""Optimizers and the learning-rate schedule of a training stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from segadapt.config import DiscriminatorOptimizer, ModelOptimizer, TranslatorOptimizer
from segadapt.models.segmenter import Segmenter


class SGD(torch.optim.SGD):
    """torch's, which fused takes no parameter whose gradients begin after others'."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One training step."""
        self._update()

    def _update(self) -> None:
        for group in self.param_groups:
            learning = [p for p in group["params"] if p.grad is not None]
            late = [p for p in learning if self.state[p].get("momentum_buffer") is None]
            if len(late) < len(learning):
                for p in late:  # a buffer of zeros takes the gradient whole, as none does
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        super().step()


class RepeatedSGD(SGD):
    """SGD that applies a parameter group's whole update ``repeats`` times with the same gradient.

    The released programs list most backbone weights several times in their optimizer (they walk
    nested modules), so that each step applies weight decay, momentum and the update that many
    times in a row. Published numbers contain this; a reproduction needs it.
    """

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One training step: group k is updated ``repeats`` of k times."""
        everything = self.param_groups
        try:
            for turn in range(max(group["repeats"] for group in everything)):
                self.param_groups = [g for g in everything if g["repeats"] > turn]
                self._update()
        finally:
            self.param_groups = everything


class ReleasedSGD(RepeatedSGD):
    """The same as PyTorch 0.4.1 did it, with which the published numbers were made.

    Its SGD added ``weight_decay * p`` to the gradient in place, so the decay of an update is still
    in the gradient of the next: of n updates in a step the k-th decays k times.
    """

    @torch.no_grad()
    def _update(self) -> None:
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays, strict=True):
            learning = [p for p in group["params"] if p.grad is not None]
            if learning:
                torch._foreach_add_([p.grad for p in learning], learning, alpha=decay)
            group["weight_decay"] = 0.0  # it is in the gradient now
        try:
            super()._update()
        finally:
            for group, decay in zip(self.param_groups, decays, strict=True):
                group["weight_decay"] = decay


def model_optimizer(model: Segmenter, config: ModelOptimizer) -> torch.optim.Optimizer:
    """The optimizer of a segmenter: trunk at the base rate, head at ``classifier_factor``.

    Weight decay spares the parameters that trunk and head say. With ``repeated_updates`` a trunk
    parameter is updated as often as the released program does, which is the number of modules
    around it: ``layer1.0.conv1.weight`` three times. With ``layer_decay`` the rate of a trunk's
    parameter shrinks by this factor for every layer above its own.
    """
    by_group: dict[tuple[bool, int, int, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter, decays in model.trunk_parameters():
        repeats = name.count(".") if config.repeated_updates else 1
        above = model.trunk.layers_above(name) if config.layer_decay != 1 else 0
        by_group[False, above, repeats, decays].append(parameter)
    for _, parameter, decays in model.head_parameters():
        by_group[True, 0, 1, decays].append(parameter)
    groups = [
        {
            "params": parameters,
            "base_lr": config.lr
            * (config.classifier_factor if of_head else config.layer_decay**above),
            "repeats": repeats,
            "weight_decay": config.weight_decay if decays else 0.0,
        }
        for (of_head, above, repeats, decays), parameters in sorted(
            by_group.items(), key=lambda x: x[0]
        )
    ]
    rate, decay, fused = config.lr, config.weight_decay, _fused(model)
    if config.name == "adamw":
        return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=fused)
    kinds = {False: SGD, True: RepeatedSGD, "released": ReleasedSGD}
    kind = kinds[config.repeated_updates]
    return kind(groups, lr=rate, momentum=config.momentum, weight_decay=decay, fused=fused)


def adam(
    network: nn.Module, config: DiscriminatorOptimizer | TranslatorOptimizer
) -> torch.optim.Optimizer:
    """Adam for a discriminator or a generator."""
    group = {"params": list(network.parameters()), "base_lr": config.lr}
    return torch.optim.Adam([group], lr=config.lr, betas=config.betas, fused=_fused(network))


def _fused(network: nn.Module) -> bool:
    """Whether torch has one kernel for all of an update of the network's weights.

    Of 44 million weights SGD takes 72 ms with it and 185 without on two cores of a CPU, AdamW 120
    and 818. It takes the n-th number of each in memory for that of one weight, without a look at
    strides: autograd lays gradients out as their weights, :func:`load_optimizer` what was saved.
    """
    parameters = list(network.parameters())
    devices = {p.device.type for p in parameters}
    return devices <= {"cpu", "cuda", "mps"} and not any(isinstance(p, DTensor) for p in parameters)


def poly_factor(iteration: int, total: int, power: float) -> float:
    """Polynomial decay (1 - iteration / total) ** power, for iterations counted from 0."""
    return float((1.0 - min(iteration, total) / total) ** power)


def warm_up_factor(iteration: int, length: int, first: float) -> float:
    """From ``first`` at iteration 0 in a line to 1 at ``length``."""
    return 1.0 if iteration >= length else first + (1.0 - first) * iteration / length


def linear_factor(iteration: int, total: int, steady: float) -> float:
    """1 for a share ``steady`` of ``total`` iterations, then down to 0 in a line (CycleGAN)."""
    held = steady * total
    return 1.0 if iteration < held else (total - iteration) / (total - held)


def set_learning_rate(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """Set every group's rate to ``factor`` times its base rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
