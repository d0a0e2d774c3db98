"""The teacher: a moving average of the student (Tarvainen and Valpola, NIPS 2017)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from segadapt.tasks.steps import Steps


class MeanTeacher(nn.Module):
    """A copy of the student whose parameters are the student's, averaged over its past.

    As in DAFormer's program: parameters alone are averaged, batch norm that learns sees the batch,
    dropout and drop path are off, and no gradient is kept.
    """

    def __init__(self, student: nn.Module, alpha: float) -> None:
        """``alpha``: the largest weight of the past."""
        super().__init__()
        self.network = copy.deepcopy(student).requires_grad_(False)
        self.alpha = alpha
        self.steps = Steps()
        self.network.train()
        learning = [m for m in self.network.modules() if isinstance(m, _BatchNorm) and m.training]
        self.network.eval()
        for norm in learning:
            norm.training = True

    @torch.no_grad()
    def begin_step(self, student: nn.Module, with_buffers: bool = False) -> None:
        """Follow the student, at the start of a step: of the first, by copying it.

        theta' <- a theta' + (1 - a) theta with a = min(1 - 1 / (t + 1), alpha) at step t > 0.

        Args:
            student: the network that learns.
            with_buffers: take over its buffers too, as is right for a teacher that sees no images
                of its own and therefore has no batch statistics.
        """
        step = self.steps.next()
        mine: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(student.parameters())
        # At step 0 the weight is 1, which copies.
        torch._foreach_lerp_(mine, theirs, max(1.0 / (step + 1), 1.0 - self.alpha))
        if with_buffers:
            for own, other in zip(self.network.buffers(), student.buffers(), strict=True):
                own.copy_(other)
