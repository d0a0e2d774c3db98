"""Settings of MIC."""

from __future__ import annotations

from typing import Literal

from segadapt.config.values import Fraction, Positive, Weight
from segadapt.methods.config.daformer import DAFormerConfig


class MICConfig(DAFormerConfig):
    """Values of the released program; over DACS where ``lambda_feature`` is 0."""

    lambda_mask: Weight = 1.0
    """Of the loss on masked images."""
    hidden: Literal["blocks", "tokens"] = "blocks"
    """``blocks`` of pixels are set to zero (MIC), or single patches of a ViT are replaced by its
    mask token (VFM-UDA), for which ``model.mask_token`` is needed."""
    block: Positive = 64
    """Side of a masked block in pixels; 32 where images have half of Cityscapes' size."""
    mask_ratio: Fraction = 0.7
    """Share of the blocks, or of the patches, that is masked."""
