"""How much room a run needs."""

from __future__ import annotations

from torch import nn

from segadapt.config import FolderTranslation, ModelConfig, TrainTranslatorStage, TranslateStage
from segadapt.models.generator import build_generator
from segadapt.models.initialise import build_segmenter
from segadapt.models.patch_discriminator import build_patch_discriminator
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import domain_behind

JPEG_BYTES = 0.5
"""Of a pixel, at the quality that translated images are written with."""


def model_bytes(model: ModelConfig, num_classes: int) -> int:
    """What the training of a segmenter leaves and keeps."""
    return _training_bytes(build_segmenter(model, num_classes))


def translator_bytes(context: StageContext, config: TrainTranslatorStage) -> int:
    """The same of both generators and both discriminators, with the pools of translated images."""
    generator = build_generator(config.generator.width, config.generator.blocks)
    discriminator = build_patch_discriminator(config.discriminator_width)
    pooled = 0
    for reference in (config.source, config.target):
        size = config.crop or context.recipe.domains[domain_behind(context, reference)].size
        if size is not None:
            pooled += config.pool * 3 * size[0] * size[1]
    networks = 2 * (_training_bytes(generator) + _training_bytes(discriminator))
    return networks + pooled * 4 * 2


def translation_bytes(context: StageContext, config: TranslateStage) -> int:
    """Translated images, where their number and size are known before the run."""
    domain = context.recipe.domains.get(config.source)
    if isinstance(config.translation, FolderTranslation) or domain is None:
        return 0
    if domain.drawn_by is not None or domain.size is None:
        return 0
    number = len(context.domain(config.source, labelled=False))
    return round(number * domain.size[0] * domain.size[1] * JPEG_BYTES)


def _training_bytes(network: nn.Module) -> int:
    """Checkpoint, state (weights and up to two moments) and its new copy while it is written."""
    return sum(p.numel() for p in network.parameters()) * 4 * 7
