"""Overrides, defaults, and the settings of parts: what a recipe comes to."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from recipes import ADVENT, GOOD, changed, refusal, write

from segadapt.config.load import load_recipe
from segadapt.stages.evaluate.config import EvaluateStage
from segadapt.stages.rank.config import RankStage
from segadapt.stages.train.config import TrainStage


@pytest.mark.parametrize(
    ("text", "rate"), [("1e-4", 1e-4), ("1.0e-4", 1e-4), ("0.5", 0.5), ("2E-3", 2e-3)]
)
def test_override_reads_numbers_as_numbers(tmp_path: Path, text: str, rate: float) -> None:
    recipe = load_recipe(write(tmp_path, GOOD), [f"stages.first.optimizer.lr={text}"])
    assert recipe.stages["first"].optimizer.lr == rate


def test_overrides_reach_into_methods_lists_and_missing_sections(tmp_path: Path) -> None:
    recipe = load_recipe(
        write(tmp_path, GOOD),
        [
            "stages.second.method.lambda_adv.main=1e-4",
            "stages.eval.checkpoints=[first.checkpoint, second.checkpoint]",
            "domains.src.size=[8, 16]",
            "stages.second.optimizer.lr=0.1",
            "stages.second.optimizer.lr=0.2",
        ],
    )
    second = recipe.stages["second"]
    assert second.method == {"name": "advent", "lambda_adv": {"main": 1e-4}}
    assert isinstance(second.method["lambda_adv"]["main"], float)
    assert recipe.stages["eval"].checkpoints == ["first.checkpoint", "second.checkpoint"]
    assert recipe.domains["src"].size == (8, 16)
    assert second.optimizer.lr == 0.2, "the last one counts"


def test_defaults_go_under_stages_of_their_kind(tmp_path: Path) -> None:
    recipe = copy.deepcopy(GOOD)
    recipe["defaults"] = {
        "train": {"batch_size": 3, "model": {"backbone": "resnet50", "heads": "single"}},
        "rank": {"easy_ratio": 0.25},
    }
    del recipe["stages"]["second"]["iterations"]
    recipe["defaults"]["train"]["iterations"] = 11
    loaded = load_recipe(write(tmp_path, recipe))
    first, second, rank = (loaded.stages[k] for k in ("first", "second", "rank"))
    assert isinstance(first, TrainStage) and isinstance(second, TrainStage)
    assert (first.batch_size, first.iterations) == (3, 5), "the stage's own value wins"
    assert (second.batch_size, second.iterations) == (3, 11)
    assert (first.model.backbone, first.model.heads) == ("squeezenet1_0", "single")
    assert second.model.backbone == "resnet50"
    assert isinstance(rank, RankStage) and rank.easy_ratio == 0.25
    assert isinstance(loaded.stages["eval"], EvaluateStage)


@pytest.mark.parametrize(
    ("defaults", "place"),
    [
        ({"trian": {"batch_size": 1}}, "defaults.trian"),
        ({"train": {"batchsize": 1}}, "batchsize: unknown key"),
        ({"train": 3}, "defaults.train"),
        (["train"], "defaults: must"),
        (3, "defaults: must"),
        ({3: {}}, "defaults.3"),
        ({"train": None}, "defaults.train"),
        ("train", "defaults: must"),
    ],
)
def test_bad_defaults(tmp_path: Path, defaults: Any, place: str) -> None:
    assert place in refusal(tmp_path, changed("defaults", defaults))


def test_method_may_be_a_name_or_a_section(tmp_path: Path) -> None:
    stages = load_recipe(write(tmp_path, GOOD)).stages
    assert stages["first"].method == {"name": "advent", "gan": "vanilla"}
    assert stages["second"].method == {"name": "advent"}


def test_settings_of_another_method_replace_those_of_the_defaults(tmp_path: Path) -> None:
    recipe = changed("defaults.train.method", {"name": "advent", "gan": "least_squares"})
    recipe["stages"]["first"]["method"] = {"name": "minent", "entropy_share": 0.3}
    recipe["stages"]["second"]["method"] = {"discriminator_width": 4}
    loaded = load_recipe(write(tmp_path, recipe))
    first, second = (loaded.stages[k] for k in ("first", "second"))
    assert isinstance(first, TrainStage) and isinstance(second, TrainStage)
    assert first.method == {"name": "minent", "entropy_share": 0.3}
    assert second.method == {"name": "advent", "gan": "least_squares", "discriminator_width": 4}


def test_a_setting_of_a_method_may_be_given_in_part_over_a_name_in_the_defaults(
    tmp_path: Path,
) -> None:
    recipe = changed("defaults.train.method", "advent")
    del recipe["stages"]["second"]["method"]
    set_ = "stages.second.method.lambda_adv.main=0.1"
    second = load_recipe(write(tmp_path, recipe), [set_]).stages["second"]
    assert isinstance(second, TrainStage)
    assert second.method == {"name": "advent", "lambda_adv": {"main": 0.1}}
    assert second.complete()["method"] == ADVENT | {"lambda_adv": {"main": 0.1, "aux": 0.0002}}
    assert second.method_settings["lambda_adv"] == {"main": 0.1, "aux": 0.0002}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("stages.first.method", "advnet", "method advnet: unknown; there are adaptsegnet"),
        ("stages.first.method.gann", 1, "unknown key; method advent has class_prior"),
        ("stages.first.method.lambda_adv.min", 1, "unknown key"),
        ("stages.first.method.lambda_adv.main", "much", "valid number"),
        ("stages.first.method", "nowhere.at_all:Method", "cannot be imported"),
        ("stages.first.model.backbone", "alexnet", "'alexnet': unknown; there are dtn"),
        ("stages.first.model.heads", "tails", "'tails': unknown; there are ancillary"),
        ("stages.first.model.dilations", [0], "greater than 0"),
        ("stages.first.model.attention_modules", 1, "unknown key; a model of squeezenet1_0 and"),
        ("stages.first.stage", "nowhere.at_all:Stage", "cannot be imported"),
        ("stages.first.stage", "segadapt.methods.advent:AdvEnt", "is not a subclass of"),
    ],
)
def test_parts_and_their_settings_are_looked_at_when_a_recipe_is_read(
    tmp_path: Path, path: str, value: Any, says: str
) -> None:
    message = refusal(tmp_path, changed(path, value))
    assert path.removesuffix(".stage") in message and says in message
    assert len(message.splitlines()) == 1


def test_settings_of_trunks_and_heads_have_their_defaults(tmp_path: Path) -> None:
    recipe = changed("stages.first.model", {"backbone": "resnet50", "heads": "ancillary"})
    first = load_recipe(write(tmp_path, recipe)).stages["first"]
    assert isinstance(first, TrainStage)
    assert first.model.model_dump() == {
        "backbone": "resnet50",
        "heads": "ancillary",
        "weights": "torchvision",
        "input_format": "bgr_mean",
        "batch_norm": "batch",
        "dilations": [6, 12, 18, 24],
        "attention_modules": 2,
        "detail": None,
    }


def test_another_backbone_or_head_leaves_the_settings_of_the_former_behind(tmp_path: Path) -> None:
    model = {"backbone": "resnet50", "batch_norm": "frozen", "heads": "ancillary"}
    recipe = changed("defaults.train.model", {**model, "attention_modules": 1, "dilations": [2]})
    recipe["stages"]["first"]["model"] = {"backbone": "squeezenet1_0"}
    path = write(tmp_path, recipe)
    first = load_recipe(path).stages["first"].complete()["model"]
    assert "batch_norm" not in first and first["attention_modules"] == 1
    sets = ["stages.first.model.backbone=resnet18", "stages.first.model.heads=sum"]
    first = load_recipe(path, sets).stages["first"].complete()["model"]
    assert first["batch_norm"] == "frozen" and first["dilations"] == [2]
    assert "attention_modules" not in first
    recipe["stages"]["first"]["model"] = {**model, "attention_modules": 1}
    sets = ["stages.first.model.backbone=vgg16", "stages.first.model.heads=single"]
    first = load_recipe(write(tmp_path, recipe), sets).stages["first"].complete()["model"]
    own = {"backbone", "heads", "weights", "input_format", "detail"}
    assert first.keys() == {*own, "dilations"}


def test_setting_that_the_new_network_lacks_is_refused_where_it_is_said_beside_it(
    tmp_path: Path,
) -> None:
    wrong = {"backbone": "squeezenet1_0", "batch_norm": "frozen"}
    message = refusal(tmp_path, changed("stages.first.model", wrong))
    assert "stages.first.model.batch_norm: unknown key; a model of squeezenet1_0" in message


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "x" * 121, "ä" * 61, "\u202eabc"])
def test_names_that_cannot_be_those_of_files_are_refused_before_any_work(
    tmp_path: Path, name: str
) -> None:
    recipe = copy.deepcopy(GOOD)
    recipe["stages"] = {name: recipe["stages"]["first"]}
    assert "cannot be part of a file's name" in refusal(tmp_path, recipe)
    recipe = copy.deepcopy(GOOD)
    both = {"first.checkpoint": 1.0, "second.checkpoint": 1.0}
    recipe["stages"]["eval"]["ensembles"] = {name: both}
    assert "stages.eval.ensembles: " in refusal(tmp_path, recipe)


def test_long_and_foreign_names_are_welcome(tmp_path: Path) -> None:
    recipe = copy.deepcopy(GOOD)
    recipe["stages"] = {"x" * 120: recipe["stages"]["first"]}
    recipe["stages"]["日本語-été"] = recipe["stages"]["x" * 120]
    assert len(load_recipe(write(tmp_path, recipe)).stages) == 2


@pytest.mark.parametrize("name", ["advent", "adaptsegnet", "cirn", "pixintrada", "adda"])
def test_discriminators_have_a_width(tmp_path: Path, name: str) -> None:
    recipe = changed("stages.first.method", {"name": name, "discriminator_width": 0})
    assert "stages.first.method.discriminator_width: " in refusal(tmp_path, recipe)
