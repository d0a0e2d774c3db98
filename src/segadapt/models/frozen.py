"""Networks that judge without learning."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def without_gradient(network: nn.Module, x: Tensor) -> Tensor:
    """Run ``network`` so that gradients reach ``x`` but not the network's parameters."""
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    output: Tensor = torch.func.functional_call(network, parameters, (x,))
    return output
