"""CycleGAN: its networks, its losses and its optimizer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segadapt.base.section import Section
from segadapt.config.values import Fraction, Size, Weight, Width


class GeneratorConfig(Section):
    """CycleGAN's ResNet generators; see :func:`segadapt.models.generator.build_generator`."""

    width: Width = 64
    """Channels of the first layer."""
    blocks: Annotated[int, Field(gt=0, le=64)] = 9
    """Residual blocks."""


class TranslatorOptimizer(Section):
    """Adam for generators and discriminators (CIRN, Implementation Details)."""

    lr: Annotated[float, Field(gt=0)] = 2e-4
    """Learning rate."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Adam's."""
    steady: Fraction = 0.5
    """Share of the iterations at the full rate; after them it falls to zero in a line."""


class CycleGANConfig(Section):
    """What CycleGAN's step is told (CIRN, stage 1; CyCADA, pixel level)."""

    generator: GeneratorConfig = GeneratorConfig()
    discriminator_width: Width = 64
    """Channels of the discriminators' first layer."""
    gan: Literal["least_squares", "log"] = "least_squares"
    """Loss of the discriminators."""
    lambda_cycle: Weight = 10.0
    """Of the distance to the image after there and back."""
    lambda_identity: Weight = 0.0
    """Of |G(x_t) - x_t| and its counterpart; CycleGAN uses 5 where colours should stay."""
    lambda_sem: Annotated[float, Field(gt=0)] = 1.0
    """Of the semantic loss, where there is a segmenter."""
    semantic_answer: Literal["labels", "predictions", "labels_and_predictions"] = "labels"
    """What translations must be seen as: the source's labels (CIRN, Eq. 4); what the segmenter saw
    before translation, in both directions (CyCADA, Eq. 4); or the labels for the source's images
    and what was seen before for the target's (CyCADA's program)."""
    crop: Size | None = None
    """(height, width) of the random crops to train on; whole images where not given."""
    flip: bool = True
    """Mirror images at random."""
    pool: Annotated[int, Field(ge=0, le=100000)] = 50
    """Translated images that discriminators remember."""
