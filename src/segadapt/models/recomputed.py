"""Activations that are not kept but computed again in the backward pass (Chen et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The blocks that a network repeats: members of lists that have parts and no blocks inside."""
    return [
        member
        for module in network.modules()
        if isinstance(module, (nn.Sequential, nn.ModuleList))
        for member in module
        if any(True for _ in member.children()) and not blocks_of(member)
    ]


def recompute_blocks(network: nn.Module) -> None:
    """Have each block keep what goes in alone, and compute the rest again in the backward pass.

    Gradients, batch norm's statistics and all draws are the same to the bit. A step takes one more
    forward pass.
    """
    for block in blocks_of(network):
        block.forward = _Recomputed(block.forward)


class _Recomputed:
    """A block's forward pass; a part of the block, so that a copy of the one has its own."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return self.forward(*inputs, **named)
        return checkpoint(
            self.forward, *inputs, use_reentrant=False, context_fn=self._contexts, **named
        )

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        block: nn.Module = self.forward.__self__  # type: ignore[attr-defined]
        return nullcontext(), _statistics_left(block)


@contextmanager
def _statistics_left(block: nn.Module) -> Iterator[None]:
    """Batch norm has seen the batch once, and its running statistics must not count it twice."""
    norms = [
        (x, x.momentum, x.num_batches_tracked)
        for x in block.modules()
        if isinstance(x, _BatchNorm) and x.training and x.track_running_stats
    ]
    for norm, _, _ in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, momentum, batches in norms:
            norm.momentum, norm.num_batches_tracked = momentum, batches
