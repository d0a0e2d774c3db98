"""Settings of the dilated ResNets."""

from __future__ import annotations

from typing import Literal

from segadapt.base.section import Section


class ResNetConfig(Section):
    """Scale and shift of batch norm are never trained (published setting)."""

    batch_norm: Literal["batch", "frozen"] = "batch"
    """Statistics of the batch, or the stored ones throughout."""
