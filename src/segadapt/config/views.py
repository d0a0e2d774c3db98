"""How a trained model looks at an image."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Size


class Views(Section):
    """How a trained model looks at an image; score maps of all views are averaged."""

    scales: Annotated[tuple[Annotated[float, Field(gt=0, le=8)], ...], Field(min_length=1)] = (1.0,)
    """Factors on the image's size."""
    flip: bool = False
    """Look at the mirrored image too."""
    window: Size | None = None
    """Look through a sliding window of this (height, width); null takes the whole image."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 1 / 3
    """Least share of a window that its neighbour covers too."""
