"""Settings of CyCADA's LeNet: none."""

from __future__ import annotations

from typing import ClassVar

from segadapt.base.section import Section


class LeNetConfig(Section):
    """Its name says all."""

    names: ClassVar[tuple[str, ...]] = ("lenet",)
