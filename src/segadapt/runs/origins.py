"""What a stage's result comes from, so that no result is taken for that of other settings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Stage
from segadapt.data.arrays import ArrayPath
from segadapt.data.listing import find_images
from segadapt.data.paths import FilePath
from segadapt.runs.unread import Unread
from segadapt.stages.context import StageContext


class Origin(NamedTuple):
    """What a stage's result comes from."""

    inputs: dict[str, Any]
    """What it reads from outside the run, by name."""
    fingerprint: str
    """Changes when anything changes that the result depends on."""


def find_origins(context: StageContext) -> dict[str, Origin]:
    """The origin of every stage; every domain is listed once."""
    domains: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    unread = Unread(context.directory)
    for name, stage in context.recipe.stages.items():
        inputs = _inputs(context, stage, domains, unread)
        settings = {k: v for k, v in stage.complete().items() if k not in stage.without_effect}
        content = {
            "config": settings,
            "inputs": inputs,
            "stages": {other: origins[other].fingerprint for other in _needs(context, name)},
            "seed": stage.seed_of(context.seed),
            "precision": context.compute.precision,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        origins[name] = Origin(inputs, digest)
    for path in unread.replaced:
        print(f"{path}: has stopped this run, and is another file now; it goes on", flush=True)
    return origins


def _needs(context: StageContext, name: str) -> list[str]:
    """Earlier stages whose results stage ``name`` reads."""
    needed = []
    for reference in context.recipe.stages[name].references():
        if reference.name in context.recipe.domains:
            maker = context.recipe.domains[reference.name].drawn_by
            needed += [maker] if maker is not None else []
        else:
            needed.append(reference.name.partition(".")[0])
    return sorted(set(needed))


def _inputs(
    context: StageContext, stage: Stage, domains: dict[str, Any], unread: Unread
) -> dict[str, Any]:
    """What a stage reads from outside the run; ``domains`` keeps those that were listed."""
    inputs: dict[str, Any] = {}
    # A domain may be named twice, with its labels and without.
    labelled: dict[str, bool] = {}
    for reference in stage.references():
        name = context.labels_behind(reference.name)
        if name in context.recipe.domains:
            labelled[name] = labelled.get(name, False) or reference.labelled
    for name, opened in labelled.items():
        key = f"{name} with labels" if opened else name
        if key not in domains:
            domains[key] = _domain_input(context, name, opened, unread)
        inputs[name] = domains[key]
    for title, file in stage.files().items():
        inputs |= _path_input(title, context.file(file))
    return inputs


def _path_input(title: str, path: Path) -> dict[str, Any]:
    """The content of a file; of a folder the names and sizes of its images."""
    if not path.is_dir():
        return _file_input(f"{title}_sha256", path)
    listing = sorted((name, _size(image)) for name, image in find_images(path).items())
    digest = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
    return {title: {"images": len(listing), "listing_sha256": digest}}


def _file_input(key: str, path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {key: hashlib.file_digest(file, "sha256").hexdigest()}


def _size(path: FilePath) -> int:
    return path.stat().st_size if isinstance(path, Path) else path.size()


def _domain_input(
    context: StageContext, reference: str, labelled: bool, unread: Unread
) -> dict[str, Any]:
    """Settings, classes, and names, sizes and ends of a domain's images (and labels if opened)."""
    config = context.recipe.domains[reference]
    settings = config.model_dump(mode="json")
    if config.bands is None:  # as it was before there were any
        del settings["bands"]
    del settings["cache"]  # the same pixels, read faster
    entry: dict[str, Any] = {"config": settings}
    if config.drawn_by is None:
        domain = context.domain(reference, labelled)
        listing: list[Any] = [
            (sample.name, *(unread.look(p) for p in (sample.image, sample.label) if p))
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
        if labelled and domain.class_map.colours:
            entry["colours"] = sorted(domain.class_map.colours.items())
        if labelled and domain.class_map.names:
            entry["names"] = sorted(domain.class_map.names.items())
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
