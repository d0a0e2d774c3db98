"""The processes that decode images: started, watched, and ended whatever happens."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.signals import STOPPING, signals_held
from segadapt.data.handover import taken

# In the children of a run on several processes the default is to start workers afresh, which
# costs each of them the import of torch.
START_METHOD = "fork" if sys.platform == "linux" else None


DIED = (
    "a process that decodes images died ({reason}), most likely for lack of memory; use fewer or "
    "no workers (workers: 0), or smaller batches. The same command goes on from the last saved "
    "state"
)


def loader_of(dataset: Dataset[Any], workers: int, **settings: Any) -> DataLoader[Any]:
    """torch's loader with ``workers`` processes, whose batches :func:`told` gives.

    Raises:
        SegadaptError: there is no room to start them.
    """
    _require_room(workers)
    return DataLoader(
        dataset,
        num_workers=workers,
        multiprocessing_context=START_METHOD if workers else None,
        worker_init_fn=_leave_signals_to_parent,
        # Loaders draw a number when they start. One from torch's own generator would make dropout
        # differ between a resumed run and one that was never stopped.
        generator=torch.Generator(),
        **settings,
    )


LOCKS = 8
"""What torch makes of them for a worker, and more."""


def _require_room(workers: int) -> None:
    """Locks lie in shared memory; a loader that is half made when they fail cannot be ended."""
    try:
        locks = [multiprocessing.get_context(START_METHOD).Lock() for _ in range(LOCKS * workers)]
    except OSError as error:
        raise SegadaptError(
            f"processes that decode images cannot be started ({error.strerror}); decode between "
            "the steps (workers: 0), or give /dev/shm more room"
        ) from error
    del locks


def told(loader: DataLoader[Any]) -> Iterator[Any]:
    """The loader's batches; the death of one of its processes is told in a sentence."""
    with signals_held():
        batches = iter(loader)
    _OPEN.append(batches)
    try:
        for batch in batches:
            yield taken(batch)
    except (RuntimeError, OSError, EOFError) as error:
        # The first to notice is whoever waits for a batch, or for the memory that it lies in.
        if "DataLoader worker" not in str(error) and not _has_lost_one(batches):
            raise
        raise SegadaptError(DIED.format(reason=first_line(error))) from error
    finally:
        if batches in _OPEN:
            _OPEN.remove(batches)
    with signals_held():
        del batches


_OPEN: list[Any] = []
"""Iterators over loaders that are not at their end."""


@contextlib.contextmanager
def loaders_closed() -> Iterator[None]:
    """Ends the decoding processes of all loaders that an error leaves open.

    Its traceback would keep the loaders, and Python waits for their processes before it ends: they
    wait for it. So whatever fails, this must be around it.
    """
    try:
        yield
    except BaseException as error:
        with signals_held():
            while _OPEN:
                _close(_OPEN.pop())
        # A process that ends without being asked to raises this wherever the main one is.
        if isinstance(error, RuntimeError) and "DataLoader worker" in str(error):
            raise SegadaptError(DIED.format(reason=first_line(error))) from error
        raise


def _close(batches: Any) -> None:
    workers = list(getattr(batches, "_workers", ()))
    with contextlib.suppress(Exception):
        batches._shutdown_workers()
    for worker in workers:
        if worker.is_alive():  # they ignore SIGTERM, see below
            worker.kill()
            worker.join()


def _has_lost_one(batches: Any) -> bool:
    """Whether a process of a loader has died; one that was killed may take a moment."""
    workers = list(getattr(batches, "_workers", ()))
    for _ in range(20):
        if any(not worker.is_alive() for worker in workers):
            return True
        time.sleep(0.01 if workers else 0)
    return False


def _leave_signals_to_parent(worker: int) -> None:
    # Schedulers send SIGTERM to all processes of a job. Workers that died of it would end the
    # training at once with an error, before it could save its state; they end with their parent.
    for which in STOPPING:
        signal.signal(which, signal.SIG_IGN)
