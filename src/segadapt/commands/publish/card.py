"""The model card: README.md in the form that the hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from segadapt.base.counted import counted
from segadapt.base.version import __version__
from segadapt.commands.publish.trained import Published
from segadapt.config.data import DomainConfig
from segadapt.report import wording

OF_THIS_MACHINE = ("root", "list")
"""Settings of domains that say where files lie."""
TASKS = {"mIoU": "image-segmentation", "accuracy": "image-classification"}


@dataclass(frozen=True)
class Licences:
    """As whoever publishes gives them; None is told as not given."""

    model: str | None = None
    backbone: str | None = None
    data: str | None = None


def card(published: Published, repository: str, licences: Licences) -> str:
    """The text of the card."""
    environment = Environment(
        loader=PackageLoader("segadapt.commands.publish", "."),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
    environment.filters.update(percent=wording.percent, cell=_cell, counted=counted)
    recipe = recipe_without_places(published)
    return environment.get_template("card.md.j2").render(
        metadata=yaml.safe_dump(_metadata(published, licences), sort_keys=False).strip(),
        published=published,
        model=published.model,
        repository=repository,
        licences=licences,
        domains=_domains(published),
        recipe_text=yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True).strip(),
        version=__version__,
    )


def recipe_without_places(published: Published) -> dict[str, Any]:
    """The run's recipe without the folders of this machine."""
    recipe: dict[str, Any] = yaml.safe_load(published.run.recipe_text) or {}
    for domain in (recipe.get("domains") or {}).values():
        for key in OF_THIS_MACHINE:
            domain.pop(key, None)
    return recipe


def _domains(published: Published) -> list[dict[str, str]]:
    """Names, roles and titles, which of somebody's own data are their folders' names."""
    recipe: dict[str, Any] = yaml.safe_load(published.run.recipe_text) or {}
    found = {k: DomainConfig.model_construct(**x) for k, x in (recipe.get("domains") or {}).items()}
    return [{"name": name, "role": x.role, "title": x.title} for name, x in found.items()]


def _metadata(published: Published, licences: Licences) -> Mapping[str, Any]:
    classes = published.model.classes
    measure = "accuracy" if classes.whole_image else "mIoU"
    task = "object-detection" if classes.boxes else TASKS[measure]
    found = {"library_name": "segadapt", "pipeline_tag": task, "tags": ["domain-adaptation"]}
    return found if licences.model is None else {"license": licences.model, **found}


def _cell(text: object) -> str:
    """A text that a table's cell can hold."""
    return str(text).replace("|", "\\|").replace("\n", " ")
