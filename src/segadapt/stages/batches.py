"""Decoded batches of both domains as what a training step receives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.data.loader import RawBatch
from segadapt.engine.loop import SourceBatch


def pairs(
    source: Iterator[RawBatch],
    target: Iterator[RawBatch] | None,
    prepare: Callable[[Tensor], Tensor],
    device: torch.device,
) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
    """One batch of each domain at a time, on ``device``.

    Args:
        source: with labels or without.
        target: what it has of labels is left behind.
        prepare: makes network input of uint8 RGB (N, H, W, 3) on the device.
        device: where the networks are.
    """

    def moved(x: Tensor) -> Tensor:
        return x.to(device, non_blocking=True)

    def unlabelled(raw: RawBatch) -> UnlabelledBatch:
        inside = None if raw.inside is None else moved(raw.inside) == 1
        return UnlabelledBatch(prepare(moved(raw.image)), inside)

    for raw in source:
        image = prepare(moved(raw.image))
        batch: SourceBatch = UnlabelledBatch(image)
        if raw.label is not None:
            index = None if raw.domain_index is None else moved(raw.domain_index) / 255
            batch = LabelledBatch(image, moved(raw.label), index, raw.label.numpy())
        yield batch, None if target is None else unlabelled(next(target))
