"""Checkpoints of version 0.1, in which a network was one class, in today's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from segadapt.base.parts import HEADS, TRUNKS

FORMAT = "segadapt-2"
SECOND = {"multi_level": "aux", "sum": "second", "ancillary": "second"}
"""What ``layer5`` was, by heads."""


def todays_name(name: str, heads: str) -> str:
    """Our name of an entry of version 0.1."""
    part, _, rest = name.partition(".")
    if part in ("layer6", "classifier"):  # the latter of CyCADA's networks
        return f"head.main.{rest}"
    return f"head.{SECOND.get(heads, part)}.{rest}" if part == "layer5" else f"trunk.{name}"


def todays_tensors(tensors: Mapping[str, Tensor], heads: str) -> dict[str, Tensor]:
    """The entries of a checkpoint of version 0.1 under our names."""
    return {todays_name(name, heads): value for name, value in tensors.items()}


def todays_settings(model: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of its network: all networks had all of them, whether they meant anything or not."""
    settings = dict(model)
    known = {
        *TRUNKS.settings(settings["backbone"]).model_fields,
        *HEADS.settings(settings["heads"]).model_fields,
    }
    for key in ("attention_modules", "dilations", "batch_norm"):
        if key not in known:
            settings.pop(key, None)
    return settings
