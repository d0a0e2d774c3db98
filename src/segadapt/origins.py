"""What a stage's result comes from, so that no result is taken for that of other settings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from segadapt.config import (
    ClassPriorStage,
    ConvertStage,
    DrawStage,
    EvaluateStage,
    FolderTranslation,
    GeneratorTranslation,
    SelectStage,
    StageConfig,
    TrainStage,
    TrainTranslatorStage,
    TranslateStage,
)
from segadapt.data.arrays import ArrayPath
from segadapt.data.listing import find_images
from segadapt.data.paths import FilePath
from segadapt.errors import SegadaptError
from segadapt.stages.context import StageContext

# Settings that change how a stage runs but not what it computes.
WITHOUT_EFFECT = {"save_every", "log_every", "workers", "gallery", "pictures", "features", "sheets"}


class Origin(NamedTuple):
    """What a stage's result comes from."""

    inputs: dict[str, Any]
    """What it reads from outside the run, by name."""
    fingerprint: str
    """Changes when anything changes that the result depends on."""


def find_origins(context: StageContext, precision: str) -> dict[str, Origin]:
    """The origin of every stage; every domain is listed once."""
    domains: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, config in context.recipe.stages.items():
        inputs = _inputs(context, config, domains)
        content = {
            "config": config.model_dump(mode="json", exclude=WITHOUT_EFFECT),
            "inputs": inputs,
            "stages": {other: origins[other].fingerprint for other in _needs(context, name)},
            # The scenes are a data set: they do not change with the run's seed.
            "seed": config.seed if isinstance(config, DrawStage) else context.seed,
            "precision": precision,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        origins[name] = Origin(inputs, digest)
    return origins


def _references(config: StageConfig) -> list[str]:
    values = config.model_dump()
    names = (
        "source",
        "target",
        "start_from",
        "segmenter",
        "class_prior",
        "checkpoint",
        "snapshots",
        "images",
        "domain",
    )
    found = [values[n] for n in names if isinstance(values.get(n), str)]
    if isinstance(config, TranslateStage) and isinstance(config.translation, GeneratorTranslation):
        found += [config.translation.translator] if config.translation.translator else []
    found += values.get("checkpoints", []) + values.get("selections", [])
    return found + [name for weights in values.get("ensembles", {}).values() for name in weights]


def _needs(context: StageContext, name: str) -> list[str]:
    """Earlier stages whose results stage ``name`` reads."""
    needed = []
    for reference in _references(context.recipe.stages[name]):
        if reference in context.recipe.domains:
            maker = context.recipe.domains[reference].drawn_by
            needed += [maker] if maker is not None else []
        else:
            needed.append(reference.partition(".")[0])
    return sorted(set(needed))


def _inputs(context: StageContext, config: StageConfig, domains: dict[str, Any]) -> dict[str, Any]:
    """What a stage reads from outside the run; ``domains`` keeps those that were listed."""
    inputs: dict[str, Any] = {}
    for named in _references(config):
        reference = _translated(context, named)
        if reference in context.recipe.domains:
            labelled = named == _labelled(config)
            key = f"{reference} with labels" if labelled else reference
            if key not in domains:
                domains[key] = _domain_input(context, reference, labelled)
            inputs[reference] = domains[key]
    weights = getattr(getattr(config, "model", None), "weights", None)
    if weights not in (None, "none", "torchvision"):
        inputs |= _file_input("weights_sha256", context.file(weights))
    if isinstance(config, TranslateStage) and isinstance(config.translation, FolderTranslation):
        folder = context.file(config.translation.folder)
        found = find_images(folder) if folder.is_dir() else {}
        listing = sorted((name, _size(path)) for name, path in found.items())
        digest = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
        inputs["folder"] = {"images": len(listing), "listing_sha256": digest}
    if (
        isinstance(config, TranslateStage)
        and isinstance(config.translation, GeneratorTranslation)
        and config.translation.file is not None
    ):
        inputs |= _file_input("file_sha256", context.file(config.translation.file))
    if isinstance(config, ConvertStage):
        inputs |= _file_input("file_sha256", context.file(config.file))
    return inputs


def _translated(context: StageContext, reference: str) -> str:
    """The domain whose labels translated images have; any other reference as it is."""
    maker = context.recipe.stages.get(reference.partition(".")[0])
    return maker.source if isinstance(maker, TranslateStage) else reference


def _file_input(key: str, path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {key: hashlib.file_digest(file, "sha256").hexdigest()}


def _size(path: FilePath) -> int:
    return path.stat().st_size if isinstance(path, Path) else path.size()


def _labelled(config: StageConfig) -> str | None:
    """The reference whose labels the stage opens."""
    if isinstance(config, TrainStage | ClassPriorStage | SelectStage):
        return config.source
    if isinstance(config, TrainTranslatorStage):
        return config.source if config.reads_labels else None
    return config.domain if isinstance(config, EvaluateStage) else None


def _domain_input(context: StageContext, reference: str, labelled: bool) -> dict[str, Any]:
    """Settings, classes, and names and file sizes of a domain's images (and labels if opened)."""
    config = context.recipe.domains[reference]
    entry: dict[str, Any] = {"config": config.model_dump(mode="json")}
    if config.drawn_by is None:
        domain = context.domain(reference, labelled)
        listing: list[Any] = [
            (sample.name, *(_size(p) for p in (sample.image, sample.label) if p))
            for sample in domain.samples
        ]
        # Files of many pictures are as long whatever is in them.
        paths = {p for s in domain.samples for p in (s.image, s.label) if isinstance(p, ArrayPath)}
        for file in sorted({path.file for path in paths}):
            listing.append(_file_input(file.name, file))
        entry["images"] = len(listing)
        entry["listing_sha256"] = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
        entry["classes"] = domain.classes.names
        entry["ids"] = sorted(domain.class_map.ids.items())
    return entry


def with_dependents(context: StageContext, redo: str) -> set[str]:
    """A stage and all those that depend on its result."""
    if redo not in context.recipe.stages:
        raise SegadaptError(
            f"--redo {redo}: is no stage of this recipe; there are "
            f"{', '.join(context.recipe.stages)}"
        )
    found = {redo}
    for name in context.recipe.stages:
        if found & set(_needs(context, name)):
            found.add(name)
    return found
