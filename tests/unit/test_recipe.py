"""Recipes: everything wrong is said in a sentence with its path; everything shipped is right."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from segadapt.config import Recipe, TrainStage
from segadapt.data.listing import dataset_names
from segadapt.errors import SegadaptError
from segadapt.methods.base import find_method
from segadapt.models.initialise import BACKBONES
from segadapt.recipe import load_recipe, merge, recipe_names, validate

GOOD: dict[str, Any] = {
    "name": "good",
    "domains": {
        "source": {"dataset": "gta5", "split": "all", "role": "source"},
        "target": {"dataset": "cityscapes", "split": "train", "role": "target"},
        "test": {"dataset": "cityscapes", "split": "val", "role": "test"},
        "drawn": {
            "dataset": "scenes", "split": "rendered", "role": "source", "drawn_by": "draw"
        },
    },
    "stages": {
        "draw": {"stage": "draw", "counts": {"rendered": 2}},
        "inter": {
            "stage": "train",
            "method": "advent",
            "source": "source",
            "target": "target",
            "iterations": 10,
        },
        "rank": {"stage": "rank", "checkpoint": "inter.checkpoint", "images": "target"},
        "label": {"stage": "pseudo_label", "checkpoint": "inter.checkpoint", "images": "rank.easy"},
        "intra": {
            "stage": "train",
            "method": {"name": "advent"},
            "source": "label.labels",
            "target": "rank.hard",
            "start_from": "inter.checkpoint",
            "iterations": 10,
        },
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["inter.checkpoint", "intra.checkpoint"],
        },
    },
}
MISSING = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good recipe with one place set or removed."""
    raw = deepcopy(GOOD)
    *above, last = path.split("/")
    place: Any = raw
    for key in above:
        place = place.setdefault(key, {})
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return raw


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SegadaptError) as caught:
        call()
    return str(caught.value)


def refused(path: str, value: Any) -> str:
    message = refusal(lambda: validate(changed(path, value), "good"))
    assert message.startswith("recipe good: "), message
    return message.removeprefix("recipe good: ")


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    return str(path)


def test_good_recipe_is_accepted() -> None:
    recipe = validate(deepcopy(GOOD), "good")
    assert list(recipe.stages) == ["draw", "inter", "rank", "label", "intra", "evaluate"]


def test_validation_leaves_its_input_alone() -> None:
    raw = changed("defaults/train", {"batch_size": 2})
    before = deepcopy(raw)
    validate(raw, "good")
    assert raw == before


# Shape -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "stagez",
        "domains/source/splitt",
        "stages/draw/sise",
        "stages/draw/counts/camera",
        "stages/inter/iteration",
        "stages/inter/model/backbon",
        "stages/inter/optimizer/learning_rate",
        "stages/inter/discriminator_optimizer/momentum",
        "stages/inter/schedule/gamma",
        "stages/rank/ratio",
        "stages/label/threshold",
        "stages/evaluate/checkpoint",
    ],
)
def test_unknown_key_is_refused_with_its_path(path: str) -> None:
    message = refused(path, 1)
    assert message.startswith(path.replace("/", "."))
    if "counts" not in path:
        assert "unknown key" in message


def test_unknown_key_in_defaults_is_refused() -> None:
    assert refused("defaults/train", {"iteration": 5}).startswith("stages.inter.iteration: unknown")


@pytest.mark.parametrize(
    "path",
    [
        "domains",
        "stages",
        "domains/source/dataset",
        "domains/source/split",
        "domains/source/role",
        "stages/draw/counts",
        "stages/inter/method",
        "stages/inter/source",
        "stages/inter/iterations",
        "stages/rank/checkpoint",
        "stages/label/images",
        "stages/evaluate/domain",
        "stages/evaluate/checkpoints",
    ],
)
def test_missing_key_is_told_with_its_path(path: str) -> None:
    assert refused(path, MISSING).startswith(f"{path.replace('/', '.')}: is required")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", 3),
        ("domains", ["source"]),
        ("domains/source", "gta5"),
        ("domains/source/role", "sauce"),
        ("domains/source/size", [512]),
        ("domains/source/size", [512, 0]),
        ("domains/source/size", "512x1024"),
        ("domains/source/limit", 0),
        ("stages", {}),
        ("stages", [GOOD["stages"]["draw"]]),
        ("stages", None),
        ("stages/inter", None),
        ("stages/inter", "train"),
        ("stages/inter/stage", "training"),
        ("stages/inter/stage", 3),
        ("stages/inter/stage", MISSING),
        ("stages/inter/method", 3),
        ("stages/inter/method", {"lambda_seg": 1}),
        ("stages/inter/method", {"name": 3}),
        ("stages/inter/iterations", "many"),
        ("stages/inter/iterations", 0),
        ("stages/inter/iterations", 2.5),
        ("stages/inter/batch_size", -1),
        ("stages/inter/flip", "perhaps"),
        ("stages/inter/workers", -1),
        ("stages/inter/model", "resnet101"),
        ("stages/inter/model/batch_norm", "sync"),
        ("stages/inter/model/input_format", "rgb"),
        ("stages/inter/optimizer/name", "adam"),
        ("stages/inter/optimizer/lr", "fast"),
        ("stages/inter/optimizer/lr", 0),
        ("stages/inter/optimizer/lr", float("nan")),
        ("stages/inter/optimizer/lr", float("inf")),
        ("stages/inter/optimizer/momentum", 1.1),
        ("stages/inter/discriminator_optimizer/betas", [0.9]),
        ("stages/inter/schedule/power", -1),
        ("stages/rank/easy_ratio", 1.5),
        ("stages/rank/normalisation", True),
        ("stages/evaluate/checkpoints", []),
        ("stages/evaluate/checkpoints", "inter.checkpoint"),
        ("stages/draw/seed", -1),
        ("defaults", 3),
        ("defaults", ["train"]),
        ("defaults/train", 3),
        ("defaults/train/optimizer", 3),
    ],
)
def test_wrong_value_is_told_with_its_path(path: str, value: Any) -> None:
    expected = path.replace("/", ".")
    if path.startswith("defaults/train/"):
        expected = "stages.inter.optimizer"  # where the default went
    elif path == "stages/inter/stage":
        expected = "stages.inter"
    message = refused(path, value)
    assert message.startswith(expected), message
    assert "unknown key" not in message


def test_further_problems_are_counted() -> None:
    raw = changed("stages/inter/iterations", 0)
    raw["stages"]["inter"]["flip"] = "perhaps"
    assert "and 1 more problem" in refusal(lambda: validate(raw, "good"))


def test_sections_are_frozen() -> None:
    recipe = validate(deepcopy(GOOD), "good")
    with pytest.raises(ValidationError, match="frozen"):
        recipe.domains["source"].split = "train"  # type: ignore[misc]


# References ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        # dangling
        ("stages/inter/source", "sauce", "'sauce' is neither a domain nor an output"),
        ("stages/inter/target", "sauce", "'sauce' is neither"),
        ("stages/intra/start_from", "outer.checkpoint", "'outer.checkpoint' is neither"),
        ("stages/rank/checkpoint", "outer.checkpoint", "'outer.checkpoint' is neither"),
        ("stages/rank/images", "targets", "'targets' is neither"),
        ("stages/label/images", "rank.medium", "no output 'medium'; it has easy, hard"),
        ("stages/label/checkpoint", "inter", "no output ''; it has checkpoint"),
        ("stages/label/checkpoint", "inter.checkpoint.x", "no output 'checkpoint.x'"),
        ("stages/evaluate/domain", "tests", "'tests' is neither"),
        # later, or the stage itself
        ("stages/inter/start_from", "intra.checkpoint", "does not come before"),
        ("stages/inter/source", "label.labels", "does not come before"),
        ("stages/inter/target", "rank.hard", "does not come before"),
        ("stages/rank/checkpoint", "intra.checkpoint", "does not come before"),
        ("stages/rank/images", "rank.easy", "does not come before"),
        # of another kind
        ("stages/inter/source", "target", "expected a source domain or pseudo-labels; its labels"),
        ("stages/inter/source", "test", "is a test domain, expected a source domain"),
        ("stages/intra/source", "rank.easy", "is a split's images, expected a source domain"),
        ("stages/intra/source", "inter.checkpoint", "is a checkpoint, expected a source domain"),
        ("stages/inter/target", "source", "is a source domain, expected a target domain"),
        ("stages/inter/target", "test", "is a test domain, expected a target domain"),
        ("stages/intra/target", "label.labels", "is pseudo-labels, expected a target domain"),
        ("stages/intra/start_from", "label.labels", "is pseudo-labels, expected a checkpoint"),
        ("stages/intra/start_from", "source", "is a source domain, expected a checkpoint"),
        ("stages/rank/images", "source", "is a source domain, expected a target domain"),
        ("stages/rank/images", "inter.checkpoint", "is a checkpoint, expected a target domain"),
        ("stages/label/checkpoint", "rank.easy", "is a split's images, expected a checkpoint"),
        ("stages/label/images", "draw.folder", "expected a target domain or a split's images"),
        ("stages/evaluate/domain", "target", "is a target domain, expected a test domain"),
        ("stages/evaluate/domain", "rank.easy", "is a split's images, expected a test domain"),
        # makers of domains
        ("domains/drawn/drawn_by", "inter", "'inter' is no draw stage"),
        ("domains/drawn/drawn_by", "drawing", "'drawing' is no draw stage"),
    ],
)
def test_wrong_reference_is_told_with_its_path(path: str, value: str, words: str) -> None:
    message = refused(path, value)
    assert message.startswith(path.replace("/", ".") + ": "), message
    assert words in message


def test_wrong_reference_in_a_list_is_told_with_its_place() -> None:
    message = refused("stages/evaluate/checkpoints", ["inter.checkpoint", "rank.easy"])
    assert message.startswith("stages.evaluate.checkpoints.1: 'rank.easy' is a split's images")


def test_domain_cannot_be_used_before_it_is_drawn() -> None:
    raw = changed("stages/inter/source", "drawn")
    assert isinstance(validate(raw, "good"), Recipe)
    raw["stages"]["draw"] = raw["stages"].pop("draw")  # now the last one
    assert "stages.inter.source: domain 'drawn' is drawn by stage 'draw', which must come" in (
        refusal(lambda: validate(raw, "good"))
    )


def test_oracle_may_train_on_a_target() -> None:
    raw = changed("stages/inter/source", "target")
    raw["stages"]["inter"]["oracle"] = True
    assert isinstance(validate(raw, "good"), Recipe)


def test_oracle_may_not_train_on_a_test_domain() -> None:
    raw = changed("stages/inter/source", "test")
    raw["stages"]["inter"]["oracle"] = True
    assert "stages.inter.source: 'test'" in refusal(lambda: validate(raw, "good"))


@pytest.mark.parametrize("name", ["a.b", "a/b", "source"])
def test_name_of_a_stage_must_not_be_mistaken_for_something_else(name: str) -> None:
    assert refused(f"stages|{name}".replace("|", "/", 1), GOOD["stages"]["draw"]).startswith(
        f"stages.{name}: "
    ) or "/" in name


def test_repeated_updates_go_with_sgd_only() -> None:
    message = refused("stages/inter/optimizer", {"name": "adamw", "repeated_updates": True})
    assert message.startswith("stages.inter.optimizer.repeated_updates: ")


# Files and names -------------------------------------------------------------------------------


def test_unknown_recipe_name() -> None:
    message = refusal(lambda: load_recipe("gta5-cityscapes/avent"))
    assert "'gta5-cityscapes/avent'" in message
    assert "list recipes" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages: [", "not valid YAML"),
        ("\tstages: 1", "not valid YAML"),
        ("a: 1\na: 2", "'a' is given twice"),
        ("stages: {a: {stage: draw, stage: train}}", "'stage' is given twice"),
        ("name: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("? [a, b]\n: 1", "not valid YAML"),
        ("", "must be a mapping"),
        ("just text", "must be a mapping"),
        ("- a\n- b", "must be a mapping"),
    ],
)
def test_text_that_is_no_recipe(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    message = refusal(lambda: load_recipe(path))
    assert path in message
    assert words in message


def test_duplicated_key_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ndomains: {}\nname: b\n")
    assert "line" in refusal(lambda: load_recipe(path))


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    assert str(path) in refusal(lambda: load_recipe(str(path)))


def test_file_is_called_by_its_stem_unless_it_says_otherwise(tmp_path: Path) -> None:
    named = write(tmp_path, yaml.safe_dump(GOOD))
    assert load_recipe(named).name == "good"
    nameless = {k: v for k, v in GOOD.items() if k != "name"}
    assert load_recipe(write(tmp_path, yaml.safe_dump(nameless))).name == "my"


def test_keys_merged_in_by_yaml_may_be_overridden(tmp_path: Path) -> None:
    text = yaml.safe_dump(GOOD, sort_keys=False) + (
        "description: &text x\n"
    )
    assert load_recipe(write(tmp_path, text)).description == "x"
    anchored = text.replace("  source:\n", "  source: &base\n", 1).replace(
        "  target:\n", "  more:\n    <<: *base\n    split: other\n  target:\n", 1
    )
    more = load_recipe(write(tmp_path, anchored)).domains["more"]
    assert (more.dataset, more.split, more.role) == ("gta5", "other", "source")


# Overrides -------------------------------------------------------------------------------------


@pytest.fixture
def good(tmp_path: Path) -> str:
    return write(tmp_path, yaml.safe_dump(GOOD, sort_keys=False))


def inter(recipe: Recipe) -> TrainStage:
    stage = recipe.stages["inter"]
    assert isinstance(stage, TrainStage)
    return stage


@pytest.mark.parametrize(
    ("override", "read", "expected"),
    [
        ("stages.inter.iterations=7", lambda s: s.iterations, 7),
        ("stages.inter.optimizer.lr=1e-4", lambda s: s.optimizer.lr, 1e-4),
        ("stages.inter.optimizer.lr=2.5e-4", lambda s: s.optimizer.lr, 2.5e-4),
        ("stages.inter.flip=true", lambda s: s.flip, True),
        ("stages.inter.model.weights=none", lambda s: s.model.weights, "none"),
        ("stages.inter.model.weights=a=b.pth", lambda s: s.model.weights, "a=b.pth"),
        ("stages.inter.optimizer.clip_norm=null", lambda s: s.optimizer.clip_norm, None),
        (
            "stages.inter.discriminator_optimizer.betas=[0.5, 0.9]",
            lambda s: s.discriminator_optimizer.betas,
            (0.5, 0.9),
        ),
        ("stages.inter.method=minent", lambda s: s.method, {"name": "minent"}),
        (
            "stages.inter.method.lambda_adv.main=1e-3",
            lambda s: s.method,
            {"name": "advent", "lambda_adv": {"main": 1e-3}},
        ),
        ("defaults.train.batch_size=3", lambda s: s.batch_size, 3),
    ],
)
def test_set_changes_one_place(
    good: str, override: str, read: Callable[[TrainStage], Any], expected: Any
) -> None:
    before, after = read(inter(load_recipe(good))), read(inter(load_recipe(good, [override])))
    assert after == expected
    assert type(after) is type(expected)
    assert before != expected or expected is None


def test_last_set_wins(good: str) -> None:
    overrides = ["stages.inter.iterations=7", "stages.inter.iterations=9"]
    assert inter(load_recipe(good, overrides)).iterations == 9


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("stages.inter.iterations", "must have the form a.b=value"),
        ("=7", "must have the form a.b=value"),
        ("stages.inter.size=[1, 2", "is not valid YAML"),
        ("stages.inter.iterations.x=7", "stages.inter.iterations is a value, not a section"),
        ("stages.evaluate.checkpoints.0=a", "stages.evaluate.checkpoints is a value"),
        ("stages.inter.iteration=7", "stages.inter.iteration: unknown key"),
        ("stages.inter.iterations=", "stages.inter.iterations: "),
        ("stages.other.iterations=7", "stages.other: "),
        ("stages.inter.source=target", "stages.inter.source: 'target'"),
    ],
)
def test_wrong_set_is_refused(good: str, override: str, words: str) -> None:
    assert words in refusal(lambda: load_recipe(good, [override]))


def test_shipped_recipe_can_be_overridden() -> None:
    name = next(n for n in recipe_names() if n.endswith("intrada"))
    assert load_recipe(name, ["description=mine"]).description == "mine"
    assert load_recipe(name).description != "mine"


# Defaults --------------------------------------------------------------------------------------


def test_defaults_go_under_every_stage_of_their_kind() -> None:
    raw = changed(
        "defaults",
        {"train": {"iterations": 3, "optimizer": {"lr": 0.5, "momentum": 0.1}}, "rank": {}},
    )
    del raw["stages"]["inter"]["iterations"]
    raw["stages"]["intra"]["optimizer"] = {"lr": 0.25}
    recipe = validate(raw, "good")
    intra = recipe.stages["intra"]
    assert isinstance(intra, TrainStage)
    assert (inter(recipe).iterations, intra.iterations) == (3, 10)
    assert (inter(recipe).optimizer.lr, inter(recipe).optimizer.momentum) == (0.5, 0.1)
    assert (intra.optimizer.lr, intra.optimizer.momentum) == (0.25, 0.1)


def test_defaults_of_an_unknown_kind_of_stage_are_refused() -> None:
    assert refused("defaults/trane", {}).startswith("defaults.trane: ")


def test_merge_leaves_both_sides_alone_and_keeps_the_order() -> None:
    below, above = {"a": {"x": 1, "y": 2}, "b": 3}, {"c": 4, "a": {"y": 5}}
    assert merge(below, above) == {"a": {"x": 1, "y": 5}, "b": 3, "c": 4}
    assert list(merge(below, above)) == ["a", "b", "c"]
    assert (below, above) == ({"a": {"x": 1, "y": 2}, "b": 3}, {"c": 4, "a": {"y": 5}})
    assert merge({"a": {"x": 1}}, {"a": 2}) == {"a": 2}


@pytest.mark.parametrize("method", ["minent", {"name": "minent"}])
def test_method_may_be_a_name_or_a_section(method: str | dict[str, str]) -> None:
    recipe = validate(changed("stages/inter/method", method), "good")
    assert inter(recipe).method == {"name": "minent"}


# Shipped ---------------------------------------------------------------------------------------


def test_recipes_of_subfolders_are_found() -> None:
    assert {"demo", "idd-camvid/intrada", "gta5-cityscapes/advent"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipe_is_valid_in_all_its_parts(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert {domain.dataset for domain in recipe.domains.values()} <= set(dataset_names())
    for stage in recipe.stages.values():
        if isinstance(stage, TrainStage):
            assert stage.model.backbone in BACKBONES
            method = find_method(stage.method["name"])
            method.Config(**{k: v for k, v in stage.method.items() if k != "name"})
            assert (stage.target is not None) or not method.uses_target


@pytest.mark.parametrize("name", recipe_names())
def test_resolved_recipe_is_a_recipe_again(name: str) -> None:
    recipe = load_recipe(name)
    assert validate(recipe.model_dump(mode="json"), name) == recipe
