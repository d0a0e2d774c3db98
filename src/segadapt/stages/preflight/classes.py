"""Which classes the data and the models of a recipe have, and that they agree."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from segadapt.classes import ClassSet
from segadapt.config import (
    ClassPriorStage,
    ConvertStage,
    EvaluateStage,
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
from segadapt.data.paths import open_root
from segadapt.errors import SegadaptError
from segadapt.models.checkpoints import load_checkpoint
from segadapt.stages.context import StageContext


def check_classes(context: StageContext, config: StageConfig, place: str) -> None:
    """All domains of a stage, and the models it uses, must have the same classes."""
    found: dict[str, ClassSet] = {}
    if isinstance(config, TrainStage):
        for reference in (config.source, config.target):
            if reference is not None:
                found[f"{reference!r}"] = classes_behind(context, reference)
        checkpoints = [config.start_from] if config.start_from else []
        if config.class_prior is not None:
            counted = context.recipe.stages[config.class_prior.partition(".")[0]]
            assert isinstance(counted, ClassPriorStage)
            found[f"the prior {config.class_prior!r}"] = classes_behind(context, counted.source)
    elif isinstance(config, EvaluateStage):
        found[f"{config.domain!r}"] = classes_behind(context, config.domain)
        members = [name for weights in config.ensembles.values() for name in weights]
        checkpoints = list(dict.fromkeys([*config.checkpoints, *members, *config.selections]))
    elif isinstance(config, RankStage | PseudoLabelStage | PixelSplitStage):
        found[f"{config.images!r}"] = classes_behind(context, config.images)
        checkpoints = [config.checkpoint]
    elif isinstance(config, SelectStage):
        for reference in (config.images, config.source):
            if reference is not None:
                found[f"{reference!r}"] = classes_behind(context, reference)
        checkpoints = [config.snapshots]
    elif isinstance(config, TrainTranslatorStage) and config.reads_labels:
        assert config.segmenter is not None
        found[f"{config.source!r}"] = classes_behind(context, config.source)
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


def classes_behind(context: StageContext, reference: str) -> ClassSet:
    """The class set behind a reference, also of domains that are yet to be drawn."""
    name = domain_behind(context, reference)
    config = context.recipe.domains[name]
    reader = dataset_reader(config.dataset)
    return find_class_map(config, reader, open_root(context.domain_root(name))).classes


def model_behind(context: StageContext, reference: str) -> ModelConfig:
    """Settings of the model behind a checkpoint, snapshots or a selection."""
    stage = maker_of(context, reference)
    return stage.model if isinstance(stage, TrainStage) else taken(context, stage)[0]


def _model_classes(context: StageContext, reference: str) -> ClassSet:
    """The classes of the model behind a checkpoint, snapshots or a selection."""
    stage = maker_of(context, reference)
    if isinstance(stage, TrainStage):
        return classes_behind(context, stage.source)
    return taken(context, stage)[1]


def domain_behind(context: StageContext, reference: str) -> str:
    """The domain that a reference to images is, or is a part of."""
    while reference not in context.recipe.domains:
        stage = context.recipe.stages[reference.partition(".")[0]]
        if isinstance(stage, TranslateStage):
            reference = stage.source
            continue
        assert isinstance(stage, RankStage | PseudoLabelStage | PixelSplitStage)
        reference = stage.images
    return reference


def maker_of(context: StageContext, reference: str) -> TrainStage | ConvertStage:
    """The stage whose model is behind a checkpoint, snapshots or a selection."""
    stage = context.recipe.stages[reference.partition(".")[0]]
    if isinstance(stage, SelectStage):
        stage = context.recipe.stages[stage.snapshots.partition(".")[0]]
    assert isinstance(stage, TrainStage | ConvertStage)
    return stage


def taken(context: StageContext, stage: ConvertStage) -> tuple[ModelConfig, ClassSet]:
    """Settings and classes of a checkpoint from elsewhere; every stage that uses it asks."""
    file = context.file(stage.file)
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _read_taken(file, stage.family, changed)


@lru_cache(maxsize=8)
def _read_taken(file: Path, family: str | None, changed: int) -> tuple[ModelConfig, ClassSet]:
    trained = load_checkpoint(file, family)
    return trained.config, trained.classes
