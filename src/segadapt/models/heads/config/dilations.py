"""What all heads made of DeepLab-v2's classifiers can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from segadapt.base.section import Section

DILATIONS = (6, 12, 18, 24)
"""Of DeepLab-v2's classifier."""


class DilationsConfig(Section):
    """Settings of a classifier of parallel dilated convolutions."""

    dilations: Annotated[
        tuple[Annotated[int, Field(gt=0, le=1024)], ...], Field(min_length=1, max_length=16)
    ] = DILATIONS
    """Of the convolutions, whose outputs are summed. AdaptSegNet's program uses 6 and 12 alone."""
