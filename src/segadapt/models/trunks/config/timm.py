"""Settings of timm's networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segadapt.base.section import Section


class TimmConfig(Section):
    """What can be asked of any of them."""

    output_stride: Literal[8, 16, 32] | None = None
    """Of the last map: strides beyond it become dilations. Convolutional networks alone; None
    leaves the network as it is."""
    batch_norm: Literal["batch", "frozen"] = "batch"
    """Statistics of the batch, with scale and shift trained; or all of it as it was stored."""
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a training's images for which a block is left out (stochastic depth)."""
    mask_token: bool = False
    """A learned token that patches can be replaced by, for methods that hide them; ViTs alone."""
