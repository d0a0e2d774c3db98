"""Networks too large for a device: every process keeps a part of each weight (FSDP2 of torch)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from segadapt.engine.fabric import Processes
from segadapt.models.segmenter import Segmenter


def shard(networks: Iterable[Segmenter], processes: Processes) -> None:
    """Leave this process its part of networks' weights, and thereby of gradients and optimizers.

    Each block of the trunk is gathered when images pass it, forwards and backwards, and let go
    after; so are the rest of the trunk, and the head. Gradients come averaged over the processes.
    Optimizers are made afterwards, of the parts. All processes must call it.

    Args:
        networks: still in the host's memory, with contiguous weights; the parts go to the device.
        processes: among which they are shared.
    """
    mesh = init_device_mesh(processes.device.type, (processes.count,))
    for network in networks:
        # Not the network as a whole: methods call trunk and head one after the other.
        for unit in (*network.trunk.blocks(), *network.children()):
            # Said for what is outermost too: a teacher's weights would stay gathered, as it has no
            # backward pass that lets go of them.
            shared = fully_shard(unit, mesh=mesh, reshard_after_forward=True)
            shared.set_force_sum_reduction_for_comms(True)  # CPUs' exchange knows no mean


@contextlib.contextmanager
def autocast_of_shared(processes: Processes) -> Iterator[None]:
    """:meth:`Processes.autocast` for shared weights: each pass makes its own copies in half
    precision.

    Those that a second pass takes over from the first get their gradients after the unit has given
    its own away, and these would be lost.
    """
    before = torch.is_autocast_cache_enabled()
    with processes.autocast():
        torch.set_autocast_cache_enabled(False)
        try:
            yield
        finally:
            torch.set_autocast_cache_enabled(before)


def is_sharded(network: nn.Module) -> bool:
    """Whether processes share its weights."""
    return any(isinstance(parameter, DTensor) for parameter in network.parameters())


def own_part(tensor: Tensor) -> Tensor:
    """What this process has of a tensor; all of it where it is not shared."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(state: Any, keep: bool) -> Any:
    """A state dict with whole tensors, in the host's memory, in place of shared ones.

    All processes must call it; where not ``keep`` shared tensors are None afterwards.
    """
    if isinstance(state, DTensor):
        gathered = state.full_tensor()
        return gathered.cpu() if keep else None
    if isinstance(state, Mapping):
        return {name: whole(value, keep) for name, value in state.items()}
    return state


def load_network(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load a state dict of whole tensors into a network (or a method) that may be shared."""
    own = network.state_dict()
    network.load_state_dict({name: _as(own.get(name), value) for name, value in state.items()})


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """The same with an optimizer's, whose moments are shared like their parameters."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments = {
        index: {name: _as(parameters[index], value) for name, value in entry.items()}
        for index, entry in state["state"].items()
    }
    # How updates are computed is this training's own: torch fuses those of shared weights not.
    groups = [
        {**saved, "fused": own["fused"]}
        for saved, own in zip(state["param_groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict({**state, "state": moments, "param_groups": groups})


def _as(like: Tensor | None, value: Any) -> Any:
    """``value`` shared, and laid out in memory, as ``like`` is.

    Where that is its counterpart: a step's count has none.
    """
    if like is None or not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    if isinstance(like, DTensor):
        # Every process has read the whole, so none has to send.
        return distribute_tensor(value, like.device_mesh, like.placements, src_data_rank=None)
    if value.stride() == like.stride():
        return value
    # What was saved with shared weights is contiguous; fused updates take the n-th number of a
    # moment in memory for that of the n-th weight.
    return torch.empty_like(like, dtype=value.dtype, device=value.device).copy_(value)
