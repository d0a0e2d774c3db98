"""Settings of CyCADA's DTN: none."""

from __future__ import annotations

from typing import ClassVar

from segadapt.base.section import Section


class DTNConfig(Section):
    """Its name says all."""

    names: ClassVar[tuple[str, ...]] = ("dtn",)
