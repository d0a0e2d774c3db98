"""Settings of VGG-16: none."""

from __future__ import annotations

from typing import ClassVar

from segadapt.base.section import Section


class VGGConfig(Section):
    """Its name says all."""

    names: ClassVar[tuple[str, ...]] = ("vgg16",)
