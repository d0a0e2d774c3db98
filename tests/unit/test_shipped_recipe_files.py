"""Shipped recipes, recipes based on others, and copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from recipes import GOOD, write

from segadapt.base.errors import SegadaptError
from segadapt.commands.show import shown
from segadapt.config.load import load_recipe, merge, recipe_names, recipe_text, validate, whole_text
from segadapt.data.listing import dataset_names
from segadapt.methods.base import find_method
from segadapt.models.heads.base import find_head
from segadapt.models.trunks.base import find_trunk
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.train.config import TrainStage


def test_there_are_shipped_recipes_and_their_text_is_found() -> None:
    assert recipe_names() == sorted(set(recipe_names()))
    assert "demo" in recipe_names()
    assert "stages:" in recipe_text("demo")


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_loads_and_goes_by_its_name(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert isinstance(list(recipe.stages.values())[-1], EvaluateStage)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_names_known_parts_with_valid_settings(name: str) -> None:
    recipe = load_recipe(name)
    assert {domain.dataset for domain in recipe.domains.values()} <= set(dataset_names())
    for stage in recipe.stages.values():
        if isinstance(stage, TrainStage):
            assert find_trunk(stage.model.backbone)
            kind = find_method(stage.method["name"])
            kind.Config(**{k: v for k, v in stage.method.items() if k != "name"})


@pytest.mark.parametrize("name", recipe_names())
def test_resolved_recipe_is_the_same_recipe_again(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert load_recipe(write(tmp_path, recipe.model_dump(mode="json"))) == recipe


def test_merge_lays_one_over_the_other_and_changes_neither() -> None:
    below: dict[str, Any] = {"a": {"x": 1, "y": 2}, "b": 3}
    above: dict[str, Any] = {"c": 4, "a": {"y": 5}}
    merged = merge(below, above)
    assert merged == {"a": {"x": 1, "y": 5}, "b": 3, "c": 4}
    assert list(merged) == ["a", "b", "c"]
    assert (below, above) == ({"a": {"x": 1, "y": 2}, "b": 3}, {"c": 4, "a": {"y": 5}})
    assert merge({"a": {"x": 1}}, {"a": 2}) == {"a": 2}
    assert merge({"a": 1}, {"a": {"x": 2}}) == {"a": {"x": 2}}


@pytest.mark.parametrize("name", recipe_names())
def test_copy_holds_all_that_a_recipe_is_based_on(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(whole_text(name))
    assert "based_on" not in yaml.safe_load(path.read_text())
    copied, shipped = load_recipe(str(path)), load_recipe(name)
    assert copied.model_copy(update={"name": name}) == shipped


def test_recipe_is_laid_over_those_it_is_based_on_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("stages: {first: {iterations: 1, batch_size: 1}}")
    (tmp_path / "b.yaml").write_text("stages: {first: {iterations: 2}}\ndescription: b")
    Path(write(tmp_path, {**GOOD, "based_on": ["b.yaml"]})).rename(tmp_path / "below.yaml")
    text = "based_on: [below.yaml, a.yaml]\nstages: {first: {batch_size: 3}}\n"
    (tmp_path / "top.yaml").write_text(text)
    recipe = load_recipe(str(tmp_path / "top.yaml"))
    first = recipe.stages["first"]
    assert isinstance(first, TrainStage)
    assert (first.iterations, first.batch_size, recipe.description) == (1, 3, "b")
    assert next(iter(recipe.stages)) == "first" and len(recipe.stages) == len(GOOD["stages"])


def test_recipe_based_on_itself_or_on_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("based_on: b.yaml")
    (tmp_path / "b.yaml").write_text("based_on: a.yaml")
    with pytest.raises(SegadaptError, match="is based on itself"):
        load_recipe(str(tmp_path / "a.yaml"))
    (tmp_path / "c.yaml").write_text("based_on: nowhere")
    with pytest.raises(SegadaptError, match="'nowhere': is neither a file nor a shipped recipe"):
        load_recipe(str(tmp_path / "c.yaml"))
    (tmp_path / "d.yaml").write_text("based_on: {a: 1}")
    with pytest.raises(SegadaptError, match="based_on: must be a recipe's name or a list"):
        load_recipe(str(tmp_path / "d.yaml"))


@pytest.mark.parametrize("name", recipe_names())
def test_what_is_shown_of_a_recipe_is_all_of_it(name: str) -> None:
    recipe = load_recipe(name)
    shown_text = yaml.safe_load(shown(recipe))
    again = validate(shown_text, name)
    assert yaml.safe_load(shown(again)) == shown_text
    for key, stage in recipe.stages.items():
        assert again.stages[key].complete() == stage.complete()
        if isinstance(stage, TrainStage):
            kind = find_method(stage.method["name"])
            model, method = shown_text["stages"][key]["model"], shown_text["stages"][key]["method"]
            assert method.keys() == {"name", *kind.Config.model_fields}
            trunk, head = find_trunk(model["backbone"]), find_head(model["heads"])
            assert {*trunk.Config.model_fields, *head.Config.model_fields} < model.keys()
