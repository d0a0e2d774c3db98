"""What can be found wrong about the training of a translator."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.models.adversaries.patch_discriminator import build_patch_discriminator
from segadapt.models.generator import STRIDE, build_generator
from segadapt.stages.boxes import require_no_boxes
from segadapt.stages.context import StageContext
from segadapt.stages.images import check_shared, check_smallest
from segadapt.stages.networks import training_bytes
from segadapt.stages.train_translator.config import TrainTranslatorStage
from segadapt.stages.whole_images import check_side

SMALLEST_FOR_PATCHES = 24
"""CycleGAN's discriminators leave nothing of a smaller image."""


def check(stage: TrainTranslatorStage, context: StageContext, place: str) -> None:
    """Images or crops must have a size that both networks take."""
    if stage.segmenter is not None:
        require_no_boxes(stage.segmenter, "segmenter", context, place)
    for network in stage.networks(context):
        check_side(network, stage.source, context, place, stage.crop)
    check_shared(stage.batch_size, context.compute.devices, place)
    for reference in (stage.source, stage.target):
        name = context.domain_behind(reference)
        size = context.recipe.domains[name].size
        if stage.crop is None and size is None:
            raise SegadaptError(
                f"{place}.crop: is needed, as images of domain {name!r} keep their own sizes; set "
                "it, or give the domain a size"
            )
        if stage.crop and size and (stage.crop[0] > size[0] or stage.crop[1] > size[1]):
            raise SegadaptError(
                f"{place}.crop: {list(stage.crop)} is larger than the images of domain {name!r}, "
                f"{list(size)} (height, width); make it smaller"
            )
        if stage.crop and size is None and name == reference:
            check_smallest(context, name, stage.crop, place)
        seen = stage.crop or size
        assert seen is not None
        if min(seen) < SMALLEST_FOR_PATCHES or any(side % STRIDE for side in seen):
            raise SegadaptError(
                f"{place}: generators train on images of {list(seen)} (height, width) from domain "
                f"{name!r}; sides must be multiples of {STRIDE} and at least "
                f"{SMALLEST_FOR_PATCHES}: set crop, or another size"
            )


def written_bytes(stage: TrainTranslatorStage, context: StageContext) -> int:
    """Both generators and both discriminators, and the pools of translated images."""
    generator = build_generator(stage.generator.width, stage.generator.blocks)
    discriminator = build_patch_discriminator(stage.discriminator_width)
    pooled = 0
    for reference in (stage.source, stage.target):
        size = stage.crop or context.recipe.domains[context.domain_behind(reference)].size
        if size is not None:
            pooled += stage.pool * 3 * size[0] * size[1]
    parameters = sum(2 * p.numel() for net in (generator, discriminator) for p in net.parameters())
    return training_bytes(parameters) + pooled * 4 * 2
