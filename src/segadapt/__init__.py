"""segadapt: unsupervised domain adaptation of semantic segmentation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segadapt.engine.predict import load
    from segadapt.runs.pipeline import run

from segadapt.base.errors import SegadaptError

try:
    __version__ = version("segadapt")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["SegadaptError", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    # Both import torch, which takes seconds; `segadapt --help` must not.
    if name == "run":
        from segadapt.runs.pipeline import run

        return run
    if name == "load":
        from segadapt.engine.predict import load

        return load
    raise AttributeError(f"module 'segadapt' has no attribute {name!r}")
