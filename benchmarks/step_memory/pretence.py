"""Networks and steps of tensors that have a size, a type and no content."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F

from segadapt.base.windows import Window
from segadapt.models.two_resolutions import TwoResolutions


@contextlib.contextmanager
def fake_tensors(num_classes: int) -> Iterator[None]:
    """Tensors made in here have no content.

    They are fake ones of the CPU: torch's backward pass takes none of a GPU that is not there.
    Three places of a step look at values, and get some here: ClassMix at which classes a batch
    has (all ``num_classes``), HRDA at where it has drawn its window, and Adam at the number of its
    step.
    """
    everything = list(range(num_classes))
    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        mock.patch("segadapt.methods.dacs.classes_present", lambda *_: everything),
        mock.patch.object(TwoResolutions, "_random_window", _first_window),
        mock.patch("torch.optim.adam._get_value", lambda _: 1.0),
        warnings.catch_warnings(),
    ):
        # A copy of a network looks where its weights lie, which fake ones warn about.
        warnings.filterwarnings("ignore", message="Accessing the data pointer of FakeTensor")
        yield


def _first_window(network: TwoResolutions, image: Tensor) -> Window:
    sides = zip(network.detail.window, image.shape[-2:], strict=True)
    height, width = (min(own, whole) for own, whole in sides)
    return Window(0, 0, height, width)


@contextlib.contextmanager
def types_of_gpus() -> Iterator[None]:
    """Of a GPU's autocast, what a CPU's does not do: norms of layers and groups in float32."""

    def exact(norm: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def normed(x: Tensor, *others: Any, **named: Any) -> Tensor:
            return norm(x.float() if torch.is_autocast_enabled("cpu") else x, *others, **named)

        return normed

    with (
        mock.patch.object(F, "layer_norm", exact(F.layer_norm)),
        mock.patch.object(F, "group_norm", exact(F.group_norm)),
    ):
        yield


def filled(network: nn.Module) -> None:
    """Replace what lies on torch's meta device, in place, channels last; for inside
    :func:`fake_tensors`."""
    made: dict[int, Tensor] = {}

    def fake(x: Tensor) -> Tensor:
        if id(x) not in made:
            layout = torch.channels_last if x.ndim == 4 else torch.contiguous_format
            new = torch.empty(x.shape, dtype=x.dtype, memory_format=layout)
            made[id(x)] = nn.Parameter(new, x.requires_grad) if isinstance(x, nn.Parameter) else new
        return made[id(x)]

    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for key, x in tensors.items():
                if x is not None and x.device.type == "meta":
                    tensors[key] = fake(x)  # type: ignore[index, assignment]
