"""What can be found wrong where images have one label each, and classifiers take one size."""

from __future__ import annotations

from collections.abc import Iterator

from segadapt.config import (
    EvaluateStage,
    PixelSplitStage,
    PseudoLabelStage,
    RankStage,
    SelectStage,
    StageConfig,
    TrainStage,
    TrainTranslatorStage,
    TranslateStage,
    Views,
)
from segadapt.errors import SegadaptError
from segadapt.methods.base import find_method
from segadapt.models.digits import SIDES
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import classes_behind, domain_behind, model_behind


def check_whole_images(
    context: StageContext, config: StageConfig, place: str, devices: int
) -> None:
    """Classifiers of whole images go with images that have one label, of the size they take.

    Raises:
        SegadaptError: they do not.
    """
    if isinstance(config, TrainStage):
        _check_training(context, config, place, devices)
    for images, backbone in _looked_at(context, config):
        side = SIDES.get(backbone)
        if side is None:
            continue
        name = domain_behind(context, images)
        size = context.recipe.domains[name].size
        crop = config.crop if isinstance(config, TrainTranslatorStage) else None
        if (crop or size) != (side, side):
            found = "none" if size is None and crop is None else list(crop or size or ())
            raise SegadaptError(
                f"{place}: {backbone} takes images of [{side}, {side}], those of domain {name!r} "
                f"come as {found}; set domains.{name}.size to [{side}, {side}]"
                + (" and leave crop out" if crop else "")
            )
        views = getattr(config, "views", Views())
        if views != Views() or isinstance(config, PixelSplitStage):
            raise SegadaptError(
                f"{place}: {backbone} gives one label for an image: there are no pixels to split, "
                "and no views at other scales or through windows"
            )
    if (
        isinstance(config, SelectStage)
        and config.score == "soft_neighbourhood_density"
        and classes_behind(context, config.images).whole_image
    ):
        raise SegadaptError(
            f"{place}.score: soft_neighbourhood_density compares pixels, and these images have one "
            "label each; choose another score"
        )


def _check_training(context: StageContext, config: TrainStage, place: str, devices: int) -> None:
    backbone, name = config.model.backbone, config.method["name"]
    method = find_method(name)
    whole = classes_behind(context, config.source).whole_image
    if whole != (backbone in SIDES):
        kind = (
            "every pixel, but these images have one label each"
            if whole
            else "one label for an image, but these have one for every pixel"
        )
        raise SegadaptError(
            f"{place}.model.backbone: {backbone} predicts {kind}; choose another backbone"
        )
    if whole and (method.uses_domain_index or method.needs_two_classifiers):
        raise SegadaptError(
            f"{place}.method: {name} is for pixels, and these images have one label each; choose "
            "another method"
        )
    if method.for_whole_images and not whole:
        raise SegadaptError(
            f"{place}.method: {name} is for images with one label each, and these have one for "
            "every pixel; choose another method (adaptsegnet, say)"
        )
    if whole and config.scales != (1.0, 1.0):
        raise SegadaptError(f"{place}.scales: {backbone} takes images of one size; leave it out")
    if backbone == "dtn" and config.batch_size < 2 * devices:
        raise SegadaptError(
            f"{place}.batch_size: dtn has batch norm and needs two images or more in each process; "
            f"set it to {2 * devices} or more"
        )


def _looked_at(context: StageContext, config: StageConfig) -> Iterator[tuple[str, str]]:
    """Images that a stage shows to a model, and the model's backbone."""
    if isinstance(config, TrainStage):
        for images in (config.source, config.target):
            if images is not None:
                yield images, config.model.backbone
    elif isinstance(config, RankStage | PseudoLabelStage | PixelSplitStage):
        yield config.images, model_behind(context, config.checkpoint).backbone
    elif isinstance(config, SelectStage):
        for images in (config.images, config.source):
            if images is not None:
                yield images, model_behind(context, config.snapshots).backbone
    elif isinstance(config, EvaluateStage):
        members = [name for weights in config.ensembles.values() for name in weights]
        for reference in (*config.checkpoints, *members, *config.selections):
            yield config.domain, model_behind(context, reference).backbone
    elif isinstance(config, TrainTranslatorStage | TranslateStage) and config.segmenter is not None:
        yield config.source, model_behind(context, config.segmenter).backbone
