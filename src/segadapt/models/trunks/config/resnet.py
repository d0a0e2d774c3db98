"""Settings of the dilated ResNets."""

from __future__ import annotations

from typing import ClassVar, Literal

from segadapt.base.section import Section


class ResNetConfig(Section):
    """Scale and shift of batch norm are never trained (published setting)."""

    names: ClassVar[tuple[str, ...]] = (
        *("resnet50", "resnet101", "resnet152", "resnet18", "resnet34"),
    )

    batch_norm: Literal["batch", "frozen"] = "batch"
    """Statistics of the batch, or the stored ones throughout."""
