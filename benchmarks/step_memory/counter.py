"""Bytes of tensors that are alive, followed from operation to operation."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

OTHERS = "maps"
"""Tensors that nobody has named: maps, their gradients, temporaries."""
_ROOTS = ("segadapt", "benchmarks")
_PASSED_OVER = (
    "engine/loop.py",
    "models/recomputed.py",
    "step_memory/counter.py",
    "step_memory/pretence.py",
)


class Kept(NamedTuple):
    """Memory behind one tensor and its views."""

    size: int
    """Bytes."""
    operation: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    place: str
    """The line that made it, the nearest of ours; ``backward of`` one."""


class LiveBytes(TorchDispatchMode):
    """Counts what operations inside it make, until it is freed, and remembers the most there was.

    Tensors that were there before are counted from :meth:`name` on. Torch's own ``MemTracker``
    counts alike, but refuses a network that is called twice in a step, as all methods do.
    Works on real tensors and on fake ones; what an operation takes and gives back before it ends
    is not seen, nor is what an allocator adds.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = 0
        """Bytes alive."""
        self.peak = 0
        """The most of them since :meth:`restart`."""
        self._at_peak: dict[int, Kept] = {}
        self._alive: dict[int, Kept] = {}
        self._numbers: dict[int, int] = {}
        self._kinds: dict[int, str] = {}
        self._watched: dict[int, weakref.ref[Any]] = {}
        self._next = count()

    def restart(self) -> None:
        """Forget the peak: it is what is alive now."""
        self.peak, self._at_peak = self.now, dict(self._alive)

    def name(self, kind: str, tensors: Iterable[Tensor]) -> None:
        """Call tensors, also those that are not counted yet, ``kind`` in :meth:`kinds`."""
        for tensor in tensors:
            self._kinds[self._seen(tensor, "given", "given")] = kind

    def kinds(self) -> dict[str, int]:
        """Bytes at the peak by kind, the largest first."""
        sums: Counter[str] = Counter()
        for number, kept in self._at_peak.items():
            sums[self._kinds.get(number, OTHERS)] += kept.size
        return dict(sums.most_common())

    def holds(self) -> list[tuple[int, int, str]]:
        """What nobody has named at the peak, the largest first: (bytes, how many, what)."""
        sizes: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        for number, kept in self._at_peak.items():
            if number not in self._kinds:
                dtype = str(kept.dtype).removeprefix("torch.")
                what = f"{kept.place}: {kept.operation} {dtype} {list(kept.shape)}"
                sizes[what] += kept.size
                numbers[what] += 1
        return [(size, numbers[what], what) for what, size in sizes.most_common()]

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        place = None
        for x in tree_leaves(result):
            if isinstance(x, Tensor) and x.untyped_storage()._cdata not in self._numbers:
                place = place or _place()
                self._seen(x, str(func).removeprefix("aten."), place)
        if self.now > self.peak:
            self.restart()
        return result

    def _seen(self, tensor: Tensor, operation: str, place: str) -> int:
        storage = tensor.untyped_storage()
        address = storage._cdata
        if address in self._numbers:
            return self._numbers[address]
        number = next(self._next)
        kept = Kept(storage.nbytes(), operation, tuple(tensor.shape), tensor.dtype, place)
        self._numbers[address], self._alive[number] = number, kept
        self.now += kept.size

        def freed(_: object) -> None:
            del self._numbers[address], self._alive[number], self._watched[number]
            self.now -= kept.size

        self._watched[number] = weakref.ref(storage, freed)
        return number


def _place() -> str:
    """The nearest line of ours that is at work."""
    frame: FrameType | None = sys._getframe(2)
    backward = torch._C._current_graph_task_id() != -1
    while frame is not None:
        file = _file_of_ours(frame.f_code.co_filename)
        if file is not None:
            return f"{'backward of ' if backward else ''}{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"


@cache
def _file_of_ours(filename: str) -> str | None:
    """Its path within the package; None for others, and for those that only pass calls on."""
    parts = Path(filename).parts
    for root in _ROOTS:
        if root in parts:
            last = len(parts) - 1 - parts[::-1].index(root)
            name = "/".join(parts[last + 1 :])
            return None if name in _PASSED_OVER else name
    return None
