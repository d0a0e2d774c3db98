"""Work done in threads beside the network: read ahead of it, and written behind it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

AHEAD = 4
"""Results that wait, for each thread."""


def ahead(tasks: Iterable[Callable[[], T]], workers: int) -> Iterator[T]:
    """Results of tasks in their order, worked out by threads a little ahead of who takes them.

    Pillow and PyAV let other threads run while they decode. A task's error is raised where its
    result would have come.

    Args:
        tasks: may be endless.
        workers: threads; 0 works each out when it is asked for.
    """
    if workers == 0:
        yield from (task() for task in tasks)
        return
    tasks = iter(tasks)
    with ThreadPoolExecutor(workers, "read") as pool:
        waiting = deque(pool.submit(x) for x in itertools.islice(tasks, AHEAD * workers))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(x) for x in itertools.islice(tasks, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()


class Behind:
    """Tasks that threads do while the next image is looked at; as a context, waits for all."""

    def __init__(self, workers: int) -> None:
        """``workers``: threads; 0 does each task when it is given."""
        self._pool = ThreadPoolExecutor(workers, "write") if workers else None
        self._waiting: deque[Future[None]] = deque()
        self._most = AHEAD * workers

    def __call__(self, task: Callable[[], None]) -> None:
        """Have ``task`` done; raises what an earlier one has raised."""
        if self._pool is None:
            task()
            return
        self._waiting.append(self._pool.submit(task))
        # A slow disk holds the network up in place of filling the memory.
        while len(self._waiting) > self._most or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        # What is stopped leaves no half of a file, and begins none.
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            while self._waiting:
                self._waiting.popleft().result()
