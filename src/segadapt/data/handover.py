"""From the processes that decode to the one that trains: through shared memory, or a pipe.

Where shared memory is full, as Docker's 64 MB soon are, torch fails in a thread that nobody hears
of, and the training waits for ever. So memory is taken here, where a failure can be answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info


def handed_over(value: Any) -> Any:
    """Tensors in shared memory, or as arrays, which go through a pipe, where it has no room.

    Args:
        value: tensors, also within tuples and lists; anything else stays as it is. In the process
            that trains all of it does.
    """
    if get_worker_info() is None:
        return value
    try:
        return _each(value, Tensor, lambda x: x.share_memory_())
    except (RuntimeError, OSError):  # no space, no more files
        return _each(value, Tensor, lambda x: x.numpy())


def taken(value: Any) -> Any:
    """The same with tensors again."""
    return _each(value, np.ndarray, torch.from_numpy)


def _each(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(x, kind, change) for x in value))
    if isinstance(value, tuple | list):
        return type(value)(_each(x, kind, change) for x in value)
    return value
