"""What can be found wrong about translations and what trains them."""

from __future__ import annotations

from segadapt.config import (
    FolderTranslation,
    GeneratorTranslation,
    TrainTranslatorStage,
    TranslateStage,
)
from segadapt.errors import SegadaptError
from segadapt.models.generator import STRIDE
from segadapt.models.translators import load_translator
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import domain_behind
from segadapt.stages.preflight.images import check_smallest, open_images
from segadapt.stages.preflight.training import check_shared
from segadapt.stages.translators import counterparts

SMALLEST_FOR_PATCHES = 24
"""CycleGAN's discriminators leave nothing of a smaller image."""


def check_translation(context: StageContext, config: TranslateStage) -> None:
    open_images(context, config.source, labelled=False)
    if config.target is not None:
        open_images(context, config.target, labelled=False)
    domain = context.recipe.domains.get(config.source)
    exists = domain is not None and domain.drawn_by is None
    if isinstance(config.translation, FolderTranslation) and exists:
        source = context.domain(config.source, labelled=False)
        counterparts(source, context.file(config.translation.folder))
    if isinstance(config.translation, GeneratorTranslation) and config.translation.file is not None:
        load_translator(context.file(config.translation.file))


def check_translator(
    context: StageContext, config: TrainTranslatorStage, place: str, devices: int
) -> None:
    check_shared(config.batch_size, devices, place)
    open_images(context, config.source, labelled=config.reads_labels)
    open_images(context, config.target, labelled=False)
    for reference in (config.source, config.target):
        name = domain_behind(context, reference)
        size = context.recipe.domains[name].size
        if config.crop is None and size is None:
            raise SegadaptError(
                f"{place}.crop: is needed, as images of domain {name!r} keep their own sizes; set "
                "it, or give the domain a size"
            )
        if config.crop and size and (config.crop[0] > size[0] or config.crop[1] > size[1]):
            raise SegadaptError(
                f"{place}.crop: {list(config.crop)} is larger than the images of domain {name!r}, "
                f"{list(size)} (height, width); make it smaller"
            )
        if config.crop and size is None and name == reference:
            check_smallest(context, name, config.crop, place)
        seen = config.crop or size
        assert seen is not None
        if min(seen) < SMALLEST_FOR_PATCHES or any(side % STRIDE for side in seen):
            raise SegadaptError(
                f"{place}: generators train on images of {list(seen)} (height, width) from domain "
                f"{name!r}; sides must be multiples of {STRIDE} and at least "
                f"{SMALLEST_FOR_PATCHES}: set crop, or another size"
            )
