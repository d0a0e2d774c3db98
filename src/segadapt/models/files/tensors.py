"""Reading and writing tensor files without executing anything in them."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.signals import signals_held

AROUND = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "segmenter"),
    *("weights", "params"),
)
"""Keys under which programs save their networks, the likeliest first."""
DEEPEST = 5
"""Levels of them; a file could hold itself."""
_scalar: Any = np.float64(0).__reduce__()[0]
HARMLESS: list[Any] = [
    *(argparse.Namespace, np.dtype, _scalar),
    *(type(np.dtype(x)) for x in ("f4", "f8", "i4", "i8", "bool")),
]
"""Plain data that programs save beside their weights; making them executes nothing."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, or of a PyTorch file that holds a (nested) state dict.

    PyTorch files are read with its restricted reader, which refuses everything but data.

    Raises:
        SegadaptError: the file is missing, unreadable, or holds something else than tensors.
    """
    if not path.is_file():
        raise SegadaptError(f"{path}: there is no such file; give the path of a weights file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)[0]
    try:
        with torch.serialization.safe_globals(HARMLESS):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes the reader raise
        raise SegadaptError(
            f"{path}: is damaged, or holds more than plain tensors, and nothing else is loaded; "
            "give a state dict saved with torch.save, or safetensors"
        ) from error
    loaded = _innermost(loaded)
    if not isinstance(loaded, Mapping) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise SegadaptError(f"{path}: holds no state dict; expected names mapped to tensors")
    # Programs that trained with DataParallel saved every name with this prefix.
    return {str(key).removeprefix("module."): value for key, value in loaded.items()}


def _innermost(loaded: Any) -> Any:
    """The state dict within what programs save around it: settings, optimizers, scores."""
    for _ in range(DEEPEST):
        if not isinstance(loaded, Mapping):
            break
        inside = [loaded[key] for key in AROUND if isinstance(loaded.get(key), Mapping)]
        if not inside:
            break
        loaded = inside[0]
    return loaded


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        SegadaptError: the file is missing or damaged.
    """
    if not path.is_file():
        raise SegadaptError(f"{path}: there is no such file; give the path of a checkpoint")
    return _read_safetensors(path)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        # The reader would turn a Ctrl-C into an error about types.
        with signals_held(), safe_open(path, framework="pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise SegadaptError(
            f"{path}: is not a readable safetensors file ({error}); it may be cut off"
        ) from error


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a file that is either whole or absent, whatever happens meanwhile."""
    partial = path.with_name(path.name + ".partial")
    with _told(path):
        save_file(_plain(tensors), partial, dict(metadata))
        # The writer lets nobody else read; what others may is for the umask to say.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        _put(partial, path)


def write_state_dict(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a PyTorch file of names and tensors, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with _told(path):
        torch.save(_plain(tensors), partial)
        _put(partial, path)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """A full disk in a sentence; torch and safetensors have errors of their own for it."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if "DataLoader worker" in str(error):
            raise  # nothing is wrong with the file
        path.with_name(path.name + ".partial").unlink(missing_ok=True)
        raise SegadaptError(
            f"{path}: cannot be written ({first_line(error)}); free some disk space and give the "
            "same command again, it goes on from the last saved state"
        ) from error


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # Contiguous: networks may be held in channels-last order, which safetensors does not know.
    return {k: v.detach().cpu().contiguous() for k, v in tensors.items()}


def _put(partial: Path, path: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
