"""Settings of SSD's VGG-16: none."""

from __future__ import annotations

from typing import ClassVar

from segadapt.base.section import Section


class SSDVGG16Config(Section):
    """Its name says all."""

    names: ClassVar[tuple[str, ...]] = ("ssd_vgg16",)
