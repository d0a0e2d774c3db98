"""Everything that can be found wrong before hours of work are spent."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from segadapt.config import (
    ClassPriorStage,
    ConvertStage,
    DrawStage,
    EvaluateStage,
    PixelSplitStage,
    PseudoLabelStage,
    RankStage,
    SelectStage,
    TrainStage,
    TrainTranslatorStage,
    TranslateStage,
)
from segadapt.errors import SegadaptError
from segadapt.models.initialise import check_weights
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import check_classes, classes_behind, taken
from segadapt.stages.preflight.disk import model_bytes, translation_bytes, translator_bytes
from segadapt.stages.preflight.images import check_rare_classes, open_images
from segadapt.stages.preflight.training import check_method, check_start, check_train
from segadapt.stages.preflight.translation import check_translation, check_translator
from segadapt.stages.preflight.whole_images import check_whole_images


def preflight(context: StageContext, stages: Sequence[str], devices: int) -> None:
    """Check the data, methods, weights, batch sizes and disk space of stages that will run.

    Raises:
        SegadaptError: the first problem found.
    """
    checked: set[str] = set()
    needed = 0
    for name in stages:
        config = context.recipe.stages[name]
        place = f"stages.{name}"
        check_whole_images(context, config, place, devices)
        if isinstance(config, TrainStage):
            method = check_method(config, place)
            check_train(context, config, method, place, devices)
            key = config.model.model_dump_json()
            if config.start_from is not None:
                check_start(context, config, place)
            elif key not in checked:
                checked.add(key)
                check_weights(config.model, context.data_root)
            needed += model_bytes(config.model, len(classes_behind(context, config.source).names))
        elif isinstance(config, SelectStage):
            open_images(context, config.images, labelled=False)
            if config.source is not None:
                open_images(context, config.source, labelled=True)
        elif isinstance(config, ClassPriorStage):
            open_images(context, config.source, labelled=True)
        elif isinstance(config, EvaluateStage):
            open_images(context, config.domain, labelled=True)
        elif isinstance(config, RankStage | PseudoLabelStage | PixelSplitStage):
            open_images(context, config.images, labelled=False)
            if isinstance(config, RankStage):
                check_rare_classes(context, config, place)
        elif isinstance(config, ConvertStage):
            taken(context, config)
            needed += context.file(config.file).stat().st_size
        elif isinstance(config, TranslateStage):
            check_translation(context, config)
            needed += translation_bytes(context, config)
        elif isinstance(config, TrainTranslatorStage):
            check_translator(context, config, place, devices)
            needed += translator_bytes(context, config)
        elif isinstance(config, DrawStage):
            needed += sum(config.counts.values()) * config.size[0] * config.size[1] * 3
        check_classes(context, config, place)
    free = shutil.disk_usage(context.directory).free
    if free < needed:
        raise SegadaptError(
            f"{context.directory}: {free / 2**30:.1f} GiB are free, this run needs about "
            f"{needed / 2**30:.1f} GiB; free some space, or name another disk with --out"
        )
