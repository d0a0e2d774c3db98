"""Settings of SqueezeNet: none."""

from __future__ import annotations

from typing import ClassVar

from segadapt.base.section import Section


class SqueezeNetConfig(Section):
    """Its name says all."""

    names: ClassVar[tuple[str, ...]] = ("squeezenet1_0",)
