"""The settings of runs, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from segadapt.base.errors import SegadaptError
from segadapt.config.stage import Stage
from segadapt.report.records import Run

ABSENT = "–"
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """A setting that is not the same everywhere; values as ``--set`` takes them."""

    key: str
    values: list[str]
    """One per recipe; a dash where it has no such setting."""


def complete_stages(runs: Sequence[Run]) -> frozenset[str]:
    """Stages that are finished in every run, so that all their settings are known, defaults too."""
    finished = [
        {stage.name for stage in run.stages if stage.finished and stage.config} for run in runs
    ]
    return frozenset(set.intersection(*finished)) if finished else frozenset()


def settings_of(run: Run, complete: frozenset[str]) -> Mapping[str, Any]:
    """The recipe of a run with the defaults of `complete` stages, and the numbers' precision.

    Settings that change nothing that is computed are left out.

    Raises:
        SegadaptError: the run's ``recipe.yaml`` is missing or damaged.
    """
    try:
        recipe = yaml.safe_load(run.recipe_text)
    except yaml.YAMLError:
        recipe = None
    if not isinstance(recipe, dict):
        raise SegadaptError(
            f"{run.directory / 'recipe.yaml'}: is missing or damaged; give the run's command "
            "again, which writes it anew"
        )
    recipe.pop("description", None)
    stages = recipe.get("stages") or {}
    known = {stage.name: stage.config for stage in run.stages if stage.name in complete}
    recipe["stages"] = {
        name: {
            key: value
            for key, value in known.get(name, stage).items()
            if key not in Stage.without_effect
        }
        for name, stage in stages.items()
    }
    return {**recipe, "precision": run.info.get("precision")}


def differences(settings: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Where settings differ, by dotted key, in the order of the first that has them."""
    return _below("", settings)


def short_names(keys: Sequence[str]) -> list[str]:
    """Dotted keys without what stands before, as far as they stay different."""
    parts = [key.split(".") for key in keys]
    return [
        next(
            ".".join(own[-length:])
            for length in range(1, len(own) + 1)
            if length == len(own) or sum(p[-length:] == own[-length:] for p in parts) == 1
        )
        for own in parts
    ]


def shortened(text: str, most: int) -> str:
    """A value of at most `most` characters, with an ellipsis where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _below(key: str, values: Sequence[Any]) -> list[Difference]:
    if all(value == values[0] for value in values):
        return []
    if not all(isinstance(value, Mapping) for value in values):
        return [Difference(key, [_text(value) for value in values])]
    names = dict.fromkeys(name for value in values for name in value)
    return [
        found
        for name in names
        for found in _below(
            f"{key}.{name}" if key else str(name), [value.get(name, _ABSENT) for value in values]
        )
    ]


def _text(value: Any) -> str:
    if value is _ABSENT:
        return ABSENT
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
