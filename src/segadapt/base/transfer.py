"""Small tensors on their way to a device."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(value: Tensor, device: torch.device) -> Tensor:
    """``value``, from the CPU, on ``device``, without waiting for what that is still at.

    From memory that may be paged out a copy to a GPU is waited for, by whoever asks for it, and
    after everything that was asked before it.
    """
    if device.type == "cuda":
        value = value.pin_memory()
    return value.to(device, non_blocking=True)
