"""What a checkpoint from elsewhere holds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from segadapt.base.classes import ClassSet
from segadapt.config.model import ModelConfig
from segadapt.models.files.checkpoints import load_checkpoint


def taken(file: Path, family: str | None) -> tuple[ModelConfig, ClassSet]:
    """Settings and classes of the network; every stage that uses it asks."""
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _read(file, family, changed)


@lru_cache(maxsize=8)
def _read(file: Path, family: str | None, changed: int) -> tuple[ModelConfig, ClassSet]:
    trained = load_checkpoint(file, family)
    return trained.config, trained.classes
