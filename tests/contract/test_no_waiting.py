"""Within a step nobody asks the device for a number: on a GPU all work before it must end first."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_methods import NAMES, batches, build
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

ASK = {
    "aten::_local_scalar_dense",  # .item(), .tolist(), float(x), if x:
    "aten::nonzero",
    "aten::masked_select",
    "aten::_unique2",
    "aten::bincount",
    "aten::equal",
    "aten::repeat_interleave",
}
"""What a GPU can only answer when it has done all that was asked before. ``x[mask]`` is nonzero."""

WAITS = {
    "adda": "whether the encoder learns depends on how well it is told apart (as released)",
}


class Asked(TorchDispatchMode):
    """Collects the names of what is asked of tensors on ``device``."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func._schema.name
        indices = args[1] if name in ("aten::index", "aten::index_put_", "aten::index_put") else ()
        masked = any(x is not None and x.dtype in (torch.bool, torch.uint8) for x in indices)
        if name in ASK or masked:
            self.names.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    mode = Asked()
    for name in ("tolist", "numpy", "cpu"):  # on the CPU these pass by the dispatcher
        own = getattr(Tensor, name)

        def noted(self: Tensor, *args: Any, name: str = name, own: Any = own, **named: Any) -> Any:
            mode.names.append(name)
            return own(self, *args, **named)

        monkeypatch.setattr(Tensor, name, noted)
    return mode


@pytest.mark.parametrize("name", [n for n in NAMES if n not in WAITS])
def test_a_step_asks_for_no_number(name: str, asked: Asked) -> None:
    method, nets = build(name)
    source, target = batches(name)
    source = source._replace(label_on_host=source.label.numpy())
    asked.names.clear()
    with asked:
        method.step(nets, source, target, lambda loss: loss.backward())
    assert asked.names == []


def test_labels_on_the_host_and_on_the_device_mix_alike() -> None:
    losses = []
    for on_host in (False, True):
        method, nets = build("dacs")
        source, target = batches("dacs")
        if on_host:
            source = source._replace(label_on_host=source.label.numpy())
        losses.append(method.step(nets, source, target, lambda loss: loss.backward()))
    assert losses[0] == losses[1]


def test_asking_is_noticed(asked: Asked) -> None:
    x = torch.arange(3.0)
    with asked:
        assert x[0] < 1 and len(x[x > 1]) == 1 and x.tolist() == [0, 1, 2]
    assert asked.names == ["aten::_local_scalar_dense", "aten::index", "tolist"]
