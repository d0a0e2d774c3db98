"""How the images of a domain come to a network that does not train."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator

import torch

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.loader import InferenceBatch, inference_batches
from segadapt.engine.fabric import Processes

FEW_CORES = 2
"""As many as a network that has them all leaves nothing of for decoding beside it."""


def looked_at(
    domain: Domain,
    processes: Processes,
    batch_size: int,
    workers: int,
    *,
    on_error: Callable[[SegadaptError], None] | None = None,
    scales: tuple[float, ...] = (),
    without: Container[int] = (),
) -> Iterator[InferenceBatch]:
    """:func:`inference_batches`, which see, of this one of ``processes``.

    ``batch_size`` and ``workers`` are the most there may be: :func:`on_cpu` takes fewer.
    """
    if processes.device.type == "cpu":
        batch_size, workers = on_cpu(batch_size, workers)
    share = (processes.rank, processes.count)
    return inference_batches(domain, batch_size, share, workers, on_error, scales, without)


def on_cpu(batch_size: int, workers: int) -> tuple[int, int]:
    """Images at once, and processes that decode, where the network has no other device.

    One image: several take no less time each, and the first is waited for until all are decoded. On
    two cores that the network has both, images are decoded in between: one was scored in 535 ms, in
    635 and 616 with one and two processes that decode.
    """
    cores = os.cpu_count() or 1
    busy = torch.get_num_threads() >= cores
    return 1, 0 if busy and cores <= FEW_CORES else workers
