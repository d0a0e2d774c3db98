"""segadapt: unsupervised domain adaptation of semantic segmentation, and of detectors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segadapt.engine.detect import detect_image
    from segadapt.engine.predict import Predictor, load
    from segadapt.engine.prediction import Prediction
    from segadapt.runs.pipeline import run

from segadapt.base.errors import SegadaptError
from segadapt.base.version import __version__

__all__ = [
    "Prediction",
    "Predictor",
    "SegadaptError",
    "__version__",
    "detect_image",
    "load",
    "run",
]
LATER = {
    "run": "segadapt.runs.pipeline",
    "load": "segadapt.engine.predict",
    "Predictor": "segadapt.engine.predict",
    "Prediction": "segadapt.engine.prediction",
    "detect_image": "segadapt.engine.detect",
}
"""Names that need torch, which takes seconds to import; `segadapt --help` must not."""


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module 'segadapt' has no attribute {name!r}")
    return getattr(import_module(LATER[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *LATER])
