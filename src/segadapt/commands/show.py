"""Prints a recipe with all of its values: the ``show`` verb."""

from __future__ import annotations

import yaml

from segadapt.config.recipe import Recipe


def shown(recipe: Recipe) -> str:
    """The recipe as YAML, with every default, those of methods, trunks and heads too."""
    complete = recipe.model_dump(mode="json", exclude={"stages"})
    complete["stages"] = {name: stage.complete() for name, stage in recipe.stages.items()}
    text: str = yaml.safe_dump(complete, sort_keys=False, allow_unicode=True)
    return text
