"""segadapt: unsupervised domain adaptation of semantic segmentation, and of detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segadapt.engine.detect import detect_image
    from segadapt.engine.predict import load
    from segadapt.runs.pipeline import run

from segadapt.base.errors import SegadaptError
from segadapt.base.version import __version__

__all__ = ["SegadaptError", "__version__", "detect_image", "load", "run"]


def __getattr__(name: str) -> Any:
    # They import torch, which takes seconds; `segadapt --help` must not.
    if name == "run":
        from segadapt.runs.pipeline import run

        return run
    if name == "load":
        from segadapt.engine.predict import load

        return load
    if name == "detect_image":
        from segadapt.engine.detect import detect_image

        return detect_image
    raise AttributeError(f"module 'segadapt' has no attribute {name!r}")
