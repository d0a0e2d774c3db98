"""Everything that can be found wrong before hours of work are spent."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from segadapt.classes import ClassSet, classes_of
from segadapt.config import (
    ClassPriorStage,
    ConvertStage,
    DrawStage,
    EvaluateStage,
    FolderTranslation,
    GeneratorTranslation,
    ModelConfig,
    PixelSplitStage,
    PseudoLabelStage,
    RankStage,
    SelectStage,
    StageConfig,
    TrainStage,
    TrainTranslatorStage,
    TranslateStage,
)
from segadapt.data.listing import dataset_reader, find_class_map
from segadapt.data.paths import FilePath, open_root
from segadapt.data.transforms import image_size, scaled_size
from segadapt.errors import SegadaptError
from segadapt.methods.base import Method, find_method
from segadapt.models.checkpoints import load_checkpoint
from segadapt.models.digits import SIDES as DIGIT_SIDES
from segadapt.models.generator import STRIDE
from segadapt.models.initialise import build_segmenter, check_weights
from segadapt.models.translators import load_translator
from segadapt.stages.context import StageContext
from segadapt.stages.train import build_method
from segadapt.stages.translators import counterparts

SMALLEST_FOR_DISCRIMINATOR = 32
"""Five convolutions of stride 2 leave nothing of a smaller map."""
SMALLEST_FOR_PATCHES = 24
"""CycleGAN's discriminators leave nothing of a smaller image."""


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
        if isinstance(config, TrainStage):
            method = _check_method(config, place)
            _check_train(context, config, method, place, devices)
            key = config.model.model_dump_json()
            if config.start_from is not None:
                _check_start(context, config, place)
            elif key not in checked:
                checked.add(key)
                check_weights(config.model, context.data_root)
            needed += _bytes_on_disk(config.model, len(_classes(context, config.source).names))
        elif isinstance(config, SelectStage):
            _open(context, config.images, labelled=False)
            if config.source is not None:
                _open(context, config.source, labelled=True)
        elif isinstance(config, ClassPriorStage):
            _open(context, config.source, labelled=True)
        elif isinstance(config, EvaluateStage):
            _open(context, config.domain, labelled=True)
        elif isinstance(config, RankStage | PseudoLabelStage | PixelSplitStage):
            _open(context, config.images, labelled=False)
            if isinstance(config, RankStage):
                _check_rare_classes(context, config, place)
        elif isinstance(config, ConvertStage):
            _taken(context, config)
            needed += context.file(config.file).stat().st_size
        elif isinstance(config, TranslateStage):
            _check_translation(context, config)
        elif isinstance(config, TrainTranslatorStage):
            _check_translator(context, config, place, devices)
        elif isinstance(config, DrawStage):
            needed += sum(config.counts.values()) * config.size[0] * config.size[1] * 3
        _check_classes(context, config, place)
    free = shutil.disk_usage(context.directory).free
    if free < needed:
        raise SegadaptError(
            f"{context.directory}: {free / 2**30:.1f} GiB are free, this run needs about "
            f"{needed / 2**30:.1f} GiB; free some space, or name another disk with --out"
        )


def _check_method(config: TrainStage, place: str) -> type[Method]:
    method = find_method(config.method["name"])
    try:
        built = build_method(config, classes_of(2), None)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(x) for x in problem["loc"])
        known = ", ".join(method.Config.model_fields)
        message = (
            f"unknown key; {config.method['name']} has {known}"
            if problem["type"] == "extra_forbidden"
            else problem["msg"]
        )
        raise SegadaptError(f"{place}.method.{key}: {message}") from error
    if built.wants_class_prior != (config.class_prior is not None):
        raise SegadaptError(
            f"{place}.class_prior: names the output of a class_prior stage if, and only if, "
            f"the settings of method {config.method['name']} have class_prior: "
            + ("it is missing" if config.class_prior is None else "they have not")
        )
    return method


def _check_train(
    context: StageContext, config: TrainStage, method: type[Method], place: str, devices: int
) -> None:
    if method.uses_target and config.target is None:
        raise SegadaptError(
            f"{place}.target: is required by method {config.method['name']}; name a target domain"
        )
    maker = context.recipe.stages.get(config.source.partition(".")[0])
    if method.uses_domain_index and not isinstance(maker, PixelSplitStage):
        raise SegadaptError(
            f"{place}.source: {config.source!r} does not say how hard each pixel is; method "
            f"{config.method['name']} trains on the labels of a pixel_split stage (STAGE.labels)"
        )
    if method.needs_two_classifiers and config.model.heads not in ("sum", "ancillary"):
        raise SegadaptError(
            f"{place}.model.heads: method {config.method['name']} needs two classifiers whose sum "
            f"is the prediction, not {config.model.heads}; set heads to ancillary (or sum)"
        )
    if method.starts_from_trained and config.start_from is None:
        raise SegadaptError(
            f"{place}.start_from: is required by method {config.method['name']}; name a checkpoint "
            "trained on the source"
        )
    whole = _classes(context, config.source).whole_image
    if whole != (config.model.backbone in DIGIT_SIDES):
        raise SegadaptError(
            f"{place}.model.backbone: {config.model.backbone} predicts "
            + (
                "every pixel, but these images have one label each"
                if whole
                else "one label for an image, but these have one for every pixel"
            )
            + "; choose another backbone"
        )
    if whole and method.uses_domain_index:
        raise SegadaptError(
            f"{place}.method: {config.method['name']} is for pixels; these images have one label "
            "each"
        )
    if config.scales[0] > config.scales[1]:
        raise SegadaptError(
            f"{place}.scales: {list(config.scales)} must be the smallest factor, then the largest"
        )
    _check_shared(config.batch_size, devices, place)
    _open(context, config.source, labelled=True)
    if method.uses_target and config.target is not None:
        _open(context, config.target, labelled=False)
    for reference in (config.source, config.target):
        if reference is None:
            continue
        name = _domain_behind(context, reference)
        domain = context.recipe.domains[name]
        if domain.size is not None:
            smallest = min(domain.size)
            if config.scales != (1.0, 1.0):
                smallest = min(scaled_size(domain.size, config.scales[0]))
            side = DIGIT_SIDES.get(config.model.backbone)
            if side is not None and (domain.size != (side, side) or config.scales != (1.0, 1.0)):
                raise SegadaptError(
                    f"domains.{name}.size: {list(domain.size)} does not fit "
                    f"{config.model.backbone}, which takes [{side}, {side}] at scales [1, 1]"
                )
            if smallest < SMALLEST_FOR_DISCRIMINATOR and side is None:
                raise SegadaptError(
                    f"domains.{name}.size: {list(domain.size)} is too small; at least "
                    f"{SMALLEST_FOR_DISCRIMINATOR} pixels are needed each way, at the smallest of "
                    f"the scales {list(config.scales)} too"
                )
        elif config.model.backbone in DIGIT_SIDES:
            raise SegadaptError(
                f"domains.{name}.size: is needed; {config.model.backbone} takes images of one size"
            )
        elif name == reference and domain.drawn_by is None and config.batch_size > 1:
            _check_one_size(context, name, place)


def _check_shared(batch_size: int, devices: int, place: str) -> None:
    if batch_size % devices:
        raise SegadaptError(
            f"{place}.batch_size: {batch_size} images cannot be shared by {devices} processes; "
            "make it a multiple"
        )


def _check_translation(context: StageContext, config: TranslateStage) -> None:
    _open(context, config.source, labelled=False)
    if config.target is not None:
        _open(context, config.target, labelled=False)
    domain = context.recipe.domains.get(config.source)
    exists = domain is not None and domain.drawn_by is None
    if isinstance(config.translation, FolderTranslation) and exists:
        source = context.domain(config.source, labelled=False)
        counterparts(source, context.file(config.translation.folder))
    if isinstance(config.translation, GeneratorTranslation) and config.translation.file is not None:
        load_translator(context.file(config.translation.file))


def _check_translator(
    context: StageContext, config: TrainTranslatorStage, place: str, devices: int
) -> None:
    _check_shared(config.batch_size, devices, place)
    _open(context, config.source, labelled=config.reads_labels)
    _open(context, config.target, labelled=False)
    for reference in (config.source, config.target):
        name = _domain_behind(context, reference)
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
        seen = config.crop or size
        assert seen is not None
        if min(seen) < SMALLEST_FOR_PATCHES or any(side % STRIDE for side in seen):
            raise SegadaptError(
                f"{place}: generators train on images of {list(seen)} (height, width) from domain "
                f"{name!r}; sides must be multiples of {STRIDE} and at least "
                f"{SMALLEST_FOR_PATCHES}: set crop, or another size"
            )


def _check_rare_classes(context: StageContext, config: RankStage, place: str) -> None:
    classes = _classes(context, config.images)
    if config.normalisation != "none" and not classes.rare:
        raise SegadaptError(
            f"{place}.normalisation: class set {classes.name!r} marks no class as rare; mark some "
            "(`rare: true` in classes.yaml) or set normalisation to none"
        )


def _check_one_size(context: StageContext, reference: str, place: str) -> None:
    """Images keep their own sizes, so a batch needs equal ones; look at the headers."""
    domain = context.domain(reference, labelled=False)
    sizes: dict[tuple[int, int], FilePath] = {}
    for sample in domain.samples:
        try:
            sizes.setdefault(image_size(sample.image), sample.image)
        except OSError as error:
            raise SegadaptError(f"{sample.image}: cannot be decoded ({error})") from error
    if len(sizes) > 1:
        (a, first), (b, second) = list(sizes.items())[:2]
        raise SegadaptError(
            f"{place}: domain {reference!r} holds images of different sizes ({first} is "
            f"{a[0]}x{a[1]}, {second} is {b[0]}x{b[1]}, height x width); give the domain a size, "
            "or set batch_size to 1"
        )


def _open(context: StageContext, reference: str, labelled: bool) -> None:
    """List the images behind a reference, where they exist before the run."""
    maker = context.recipe.stages.get(reference.partition(".")[0])
    if isinstance(maker, TranslateStage):
        reference = maker.source  # translated images have its labels
    domain = context.recipe.domains.get(reference)
    if domain is not None and domain.drawn_by is None:
        context.domain(reference, labelled)


def _classes(context: StageContext, reference: str) -> ClassSet:
    """The class set behind a reference, also of domains that are yet to be drawn."""
    name = _domain_behind(context, reference)
    config = context.recipe.domains[name]
    reader = dataset_reader(config.dataset)
    return find_class_map(config, reader, open_root(context.domain_root(name))).classes


def _domain_behind(context: StageContext, reference: str) -> str:
    """The domain that a reference to images is, or is a part of."""
    while reference not in context.recipe.domains:
        stage = context.recipe.stages[reference.partition(".")[0]]
        if isinstance(stage, TranslateStage):
            reference = stage.source
            continue
        assert isinstance(stage, RankStage | PseudoLabelStage | PixelSplitStage)
        reference = stage.images
    return reference


def _check_start(context: StageContext, config: TrainStage, place: str) -> None:
    """Weights to start from must be those of the same network, fed in the same way."""
    assert config.start_from is not None
    stage = _maker(context, config.start_from)
    found = stage.model if isinstance(stage, TrainStage) else _taken(context, stage)[0]
    ours, theirs = (x.model_dump(exclude={"weights", "batch_norm"}) for x in (config.model, found))
    for key, value in ours.items():
        if value != theirs[key]:
            raise SegadaptError(
                f"{place}.start_from: the model of {config.start_from!r} has {key} "
                f"{theirs[key]!r}, this stage's has {value!r}; they must be equal"
            )


def _model_classes(context: StageContext, reference: str) -> ClassSet:
    """The classes of the model behind a checkpoint, snapshots or a selection."""
    stage = _maker(context, reference)
    if isinstance(stage, TrainStage):
        return _classes(context, stage.source)
    return _taken(context, stage)[1]


def _maker(context: StageContext, reference: str) -> TrainStage | ConvertStage:
    """The stage whose model is behind a checkpoint, snapshots or a selection."""
    stage = context.recipe.stages[reference.partition(".")[0]]
    if isinstance(stage, SelectStage):
        stage = context.recipe.stages[stage.snapshots.partition(".")[0]]
    assert isinstance(stage, TrainStage | ConvertStage)
    return stage


def _taken(context: StageContext, stage: ConvertStage) -> tuple[ModelConfig, ClassSet]:
    """Settings and classes of a checkpoint from elsewhere; every stage that uses it asks."""
    file = context.file(stage.file)
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _read_taken(file, stage.family, changed)


@lru_cache(maxsize=8)
def _read_taken(file: Path, family: str | None, changed: int) -> tuple[ModelConfig, ClassSet]:
    trained = load_checkpoint(file, family)
    return trained.config, trained.classes


def _check_classes(context: StageContext, config: StageConfig, place: str) -> None:
    """All domains of a stage, and the models it uses, must have the same classes."""
    found: dict[str, ClassSet] = {}
    if isinstance(config, TrainStage):
        for reference in (config.source, config.target):
            if reference is not None:
                found[f"{reference!r}"] = _classes(context, reference)
        checkpoints = [config.start_from] if config.start_from else []
        if config.class_prior is not None:
            counted = context.recipe.stages[config.class_prior.partition(".")[0]]
            assert isinstance(counted, ClassPriorStage)
            found[f"the prior {config.class_prior!r}"] = _classes(context, counted.source)
    elif isinstance(config, EvaluateStage):
        found[f"{config.domain!r}"] = _classes(context, config.domain)
        members = [name for weights in config.ensembles.values() for name in weights]
        checkpoints = list(dict.fromkeys([*config.checkpoints, *members, *config.selections]))
    elif isinstance(config, RankStage | PseudoLabelStage | PixelSplitStage):
        found[f"{config.images!r}"] = _classes(context, config.images)
        checkpoints = [config.checkpoint]
    elif isinstance(config, SelectStage):
        for reference in (config.images, config.source):
            if reference is not None:
                found[f"{reference!r}"] = _classes(context, reference)
        checkpoints = [config.snapshots]
    elif isinstance(config, TrainTranslatorStage) and config.reads_labels:
        assert config.segmenter is not None
        found[f"{config.source!r}"] = _classes(context, config.source)
        checkpoints = [config.segmenter]
    else:
        return
    for reference in checkpoints:
        found[f"the model of {reference!r}"] = _model_classes(context, reference)
    (first, expected), *others = found.items()
    for title, classes in others:
        if classes.names != expected.names:
            raise SegadaptError(
                f"{place}: {first} has {len(expected.names)} classes "
                f"({', '.join(expected.names[:3])}, ...), {title} has {len(classes.names)} "
                f"({', '.join(classes.names[:3])}, ...); set domains.*.classes to a class map "
                "that both have"
            )


def _bytes_on_disk(model: ModelConfig, num_classes: int) -> int:
    """Checkpoint, state (weights and up to two moments) and its new copy while it is written."""
    parameters = sum(p.numel() for p in build_segmenter(model, num_classes).parameters())
    return parameters * 4 * 7
