"""Settings of DAFormer's head."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section


class DAFormerConfig(Section):
    """Values of the paper (Hoyer et al., CVPR 2022, Sec. 4.1)."""

    channels: Annotated[int, Field(gt=0, le=4096)] = 256
    """Of every level's embedding, and of the fused map."""
    aspp_dilations: Annotated[
        tuple[Annotated[int, Field(gt=0, le=1024)], ...], Field(min_length=1, max_length=16)
    ] = (*(1, 6, 12, 18),)
    """Of the fusion's parallel convolutions; 1 is a convolution of 1x1."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the channels before the classifier."""
