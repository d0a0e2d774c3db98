"""Score maps of an image seen at several scales, mirrored, and through a sliding window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from segadapt.base.windows import covering
from segadapt.config import Views
from segadapt.tasks.segmentation import upsample

Network = Callable[[Tensor], Tensor]
"""(N, 3, H, W) images -> (N, C, h, w) class scores."""


def view_logits(
    network: Network, image: Tensor, views: Views, scaled: Sequence[Tensor] = ()
) -> Tensor:
    """Mean class scores over all views of normalised images.

    Args:
        network: what is asked at each view.
        image: (N, 3, H, W).
        views: scales, mirroring, window.
        scaled: the image at each of :func:`further_scales`, made from the original and not from
            ``image``, of which a scale above 1 would only be an enlargement.

    Returns:
        (N, C, h, w) at network resolution for the plain view, (N, C, H, W) for any other.
    """
    if views == Views():
        return network(image)
    size = image.shape[-2:]
    total: Tensor | None = None
    at_scale = {1.0: image, **dict(zip(further_scales(views), scaled, strict=True))}
    for scale in views.scales:
        for mirrored in (False, True) if views.flip else (False,):
            seen = at_scale[scale].flip(-1) if mirrored else at_scale[scale]
            logit = _windowed(network, seen, views)
            logit = upsample(logit.flip(-1) if mirrored else logit, size)
            total = logit if total is None else total + logit
    assert total is not None
    return total / (len(views.scales) * (2 if views.flip else 1))


def further_scales(views: Views) -> tuple[float, ...]:
    """The scales at which images are wanted besides their own."""
    return tuple(dict.fromkeys(scale for scale in views.scales if scale != 1.0))


def _windowed(network: Network, image: Tensor, views: Views) -> Tensor:
    """Class scores of one view: of the whole, or averaged where windows overlap."""
    if views.window is None:
        return network(image)
    total: Tensor | None = None
    count = image.new_zeros(image.shape[-2:], dtype=torch.float32)
    for window in covering(image.shape[-2:], views.window, views.overlap):
        logit = upsample(network(window.of(image)), (window.height, window.width))
        if total is None:
            total = logit.new_zeros(*logit.shape[:2], *image.shape[-2:])
        window.of(total).add_(logit)
        window.of(count).add_(1)
    assert total is not None
    return total / count
