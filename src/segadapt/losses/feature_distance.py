"""Distance of features to those of a frozen network (DAFormer, CVPR 2022, Sec. 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def thing_cells(
    label: Tensor, size: tuple[int, int], classes: Sequence[int], least_share: float
) -> Tensor:
    """Cells of a feature map of which one of ``classes`` fills ``least_share`` (Eq. 10 and 11).

    Args:
        label: (N, H, W) class ids; 255 belongs to none.
        size: (height, width) of the map.
        classes: the ids that count.
        least_share: r.

    Returns:
        (N, height, width) bool.
    """
    shares = [
        F.adaptive_avg_pool2d((label == k).float()[:, None], size)[:, 0] >= least_share
        for k in classes
    ]
    return torch.stack(shares).any(dim=0)


def feature_distance(
    features: Tensor,
    frozen: Tensor,
    cells: Tensor,
    process_mean: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Mean over ``cells`` of the L2 norm over the channels of the difference (Eq. 9 and 12).

    Args:
        features: (N, C, h, w) of the network that learns.
        frozen: the same of the frozen one.
        cells: (N, h, w) bool.
        process_mean: mean over the processes, for the number of cells.

    Returns:
        A scalar; zero, with zero gradient, where there is no cell.
    """
    norms = torch.linalg.vector_norm((features - frozen).float(), dim=1)
    count = cells.sum().to(norms.dtype)
    if process_mean is not None:
        count = process_mean(count)
    total: Tensor = (norms * cells).sum() / count.clamp(min=1e-12)
    return total
