"""Every way to get a recipe wrong is one sentence that names the place."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from recipes import ABSENT, GOOD, changed, refusal, write

from segadapt.base.errors import SegadaptError
from segadapt.config.load import load_recipe
from segadapt.stages.train.config import TrainStage


def test_good_recipe_loads_with_defaults_and_its_file_name(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD))
    assert recipe.name == "mine"
    assert list(recipe.stages) == ["first", "rank", "pl", "second", "eval"]
    first = recipe.stages["first"]
    assert isinstance(first, TrainStage)
    # ADVENT's published setting
    assert (first.optimizer.name, first.optimizer.lr, first.optimizer.momentum) == (
        "sgd",
        2.5e-4,
        0.9,
    )
    assert first.discriminator_optimizer.lr == 1e-4
    assert first.schedule.power == 0.9
    with pytest.raises(ValidationError):
        recipe.name = "other"


@pytest.mark.parametrize(
    "path",
    [
        "stagse",
        "domains.src.rooot",
        "stages.first.iteration",
        "stages.first.model.backbon",
        "stages.first.optimizer.learning_rate",
        "stages.first.schedule.powr",
        "stages.first.discriminator_optimizer.beta",
        "stages.rank.lambda",
        "stages.pl.threshold",
        "stages.eval.domains",
    ],
)
def test_unknown_key(tmp_path: Path, path: str) -> None:
    message = refusal(tmp_path, changed(path, 1))
    assert f"{path}: unknown key" in message
    assert "mine.yaml" in message


@pytest.mark.parametrize(
    "path",
    [
        "domains",
        "stages",
        "domains.src.dataset",
        "domains.src.role",
        "stages.first.source",
        "stages.first.method",
        "stages.first.iterations",
        "stages.rank.checkpoint",
        "stages.rank.images",
        "stages.pl.images",
        "stages.eval.domain",
        "stages.eval.checkpoints",
    ],
)
def test_missing_key(tmp_path: Path, path: str) -> None:
    assert f"{path}: is required" in refusal(tmp_path, changed(path, ABSENT))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("domains.src.role", "sauce"),
        ("domains.src.size", [0, 4]),
        ("domains.src.limit", 0),
        ("stages.first.iterations", "many"),
        ("stages.first.iterations", 0),
        ("stages.first.iterations", 2.5),
        ("stages.first.batch_size", -1),
        ("stages.first.flip", "perhaps"),
        ("stages.first.optimizer.lr", 0),
        ("stages.first.optimizer.lr", float("nan")),
        ("stages.first.optimizer.lr", float("inf")),
        ("stages.first.optimizer.momentum", 1.5),
        ("stages.first.optimizer.name", "adagrad"),
        ("stages.first.optimizer", 3),
        ("stages.first.model.batch_norm", "thawed"),
        ("stages.first.workers", -1),
        ("stages.rank.easy_ratio", 1.2),
        ("stages.rank.normalisation", "some"),
        ("stages.eval.checkpoints", []),
        ("stages.eval.checkpoints", "second.checkpoint"),
        ("stages.first.method", {"gan": "vanilla"}),
        ("stages.first.method", 7),
        ("stages.first", "train"),
        ("stages.first.stage", "trian"),
        ("stages", {}),
        ("stages", ["first"]),
        ("domains", "src"),
        ("domains.src", None),
    ],
)
def test_wrong_value(tmp_path: Path, path: str, value: Any) -> None:
    place = path.removesuffix(".stage")
    assert f"mine.yaml: {place}" in refusal(tmp_path, changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("stages.first.source", "nowhere", "neither a domain nor an output"),
        ("stages.first.source", "pl.labels", "does not come before"),
        ("stages.rank.checkpoint", "second.checkpoint", "does not come before"),
        ("stages.rank.checkpoint", "rank.easy", "does not come before"),
        ("stages.rank.checkpoint", "first.weights", "no output 'weights'"),
        ("stages.rank.checkpoint", "first", "no output ''"),
        ("stages.rank.checkpoint", "tgt", "expected a checkpoint"),
        ("stages.rank.images", "src", "source domain"),
        ("stages.rank.images", "tst", "test domain"),
        ("stages.pl.images", "first.checkpoint", "expected a target domain or a split's images"),
        ("stages.second.target", "src", "source domain"),
        ("stages.second.target", "pl.labels", "pseudo-labels"),
        ("stages.second.source", "rank.easy", "expected a source domain or pseudo-labels"),
        ("stages.second.start_from", "tgt", "expected a checkpoint"),
        ("stages.eval.domain", "rank.hard", "expected a test domain"),
        ("stages.eval.domain", "tgt", "target domain"),
        ("stages.first.source", "tst", "test domain"),
        ("stages.first.source", "tgt", "oracle: true"),
    ],
)
def test_reference_that_leads_nowhere_or_to_another_kind(
    tmp_path: Path, path: str, value: str, says: str
) -> None:
    message = refusal(tmp_path, changed(path, value))
    assert f"{path}: {value!r}" in message or f"{path}: stage" in message
    assert says in message


def test_reference_in_a_list_is_named_by_its_position(tmp_path: Path) -> None:
    recipe = changed("stages.eval.checkpoints", ["first.checkpoint", "third.checkpoint"])
    assert "stages.eval.checkpoints.1: 'third.checkpoint'" in refusal(tmp_path, recipe)


def test_target_is_a_labelled_source_with_oracle_only(tmp_path: Path) -> None:
    recipe = changed("stages.first.source", "tgt")
    assert "stages.first.source" in refusal(tmp_path, recipe)
    assert load_recipe(write(tmp_path, recipe), ["stages.first.oracle=true"])


def test_oracle_opens_no_test_domain(tmp_path: Path) -> None:
    message = refusal(tmp_path, changed("stages.first.source", "tst"), "stages.first.oracle=true")
    assert "stages.first.source: 'tst' is a test domain" in message


@pytest.mark.parametrize("name", ["a.b", "a/b", "src"])
def test_stage_name_that_would_be_ambiguous(tmp_path: Path, name: str) -> None:
    recipe = copy.deepcopy(GOOD)
    recipe["stages"][name] = {"stage": "evaluate", "domain": "tst", "checkpoints": ["x"]}
    assert f"stages.{name}: a stage's name" in refusal(tmp_path, recipe)


def test_repeated_updates_go_with_sgd_only(tmp_path: Path) -> None:
    recipe = changed("stages.first.optimizer", {"name": "adamw", "repeated_updates": True})
    assert "stages.first.optimizer.repeated_updates" in refusal(tmp_path, recipe)


@pytest.mark.parametrize(("ratio", "part"), [(0.0, "easy"), (1.0, "hard")])
def test_empty_part_of_a_split_is_refused_before_the_run(
    tmp_path: Path, ratio: float, part: str
) -> None:
    message = refusal(tmp_path, changed("stages.rank.easy_ratio", ratio))
    assert f"'rank.{part}' is empty at easy_ratio {ratio:g}" in message


def test_drawn_by_must_name_an_earlier_draw_stage(tmp_path: Path) -> None:
    for maker in ("nobody", "first"):
        spare = {**GOOD["domains"]["src"], "drawn_by": maker}
        message = refusal(tmp_path, changed("domains.spare", spare))
        assert f"domains.spare.drawn_by: {maker!r} is no draw stage" in message
    message = refusal(tmp_path, changed("domains.tst.drawn_by", "nobody"))
    assert "domains.tst.drawn_by: 'nobody' is no draw stage" in message
    late = changed("domains.src.drawn_by", "draw")
    late["stages"]["draw"] = {"stage": "draw", "counts": {"rendered": 1}}
    assert "stages.first.source" in refusal(tmp_path, late)
    early = copy.deepcopy(late)
    early["stages"] = {"draw": late["stages"]["draw"], **GOOD["stages"]}
    assert load_recipe(write(tmp_path, early))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stages: {a: 1}\nstages: {b: 2}\n", "'stages' is given twice"),
        ("stages:\n  a: {stage: train, stage: rank}\n", "'stage' is given twice"),
        ('stages:\n  a: {stage: train, "stage": rank}\n', "'stage' is given twice"),
        ("stages: [unclosed\n", "not valid YAML"),
        ("a: b: c\n", "not valid YAML"),
        ("stages: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("just text\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("- a\n- b\n", "must be a mapping"),
        ("? [a, b]\n: c\n", "not valid YAML"),
        ("a: !!int abc\n", "not valid YAML"),
        ("a: " + "9" * 5000 + "\n", "not valid YAML"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deep"),
        ("a: " + "{b: " * 1500 + "1" + "}" * 1500, "nested too deep"),
        ("a:\n\t- b\n", "not valid YAML"),
        ("<<: 3\n", "not valid YAML"),
    ],
)
def test_text_that_is_no_recipe(tmp_path: Path, text: str, says: str) -> None:
    message = refusal(tmp_path, text)
    assert says in message and "mine.yaml" in message
    assert len(message.splitlines()) == 1 and len(message) < 600


def test_value_that_is_enormous_is_told_shortly(tmp_path: Path) -> None:
    """Eight times ten names for one list are a hundred million words, if they are written out."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for new, old in itertools.pairwise("abcdefgh"):
        lines.append(f"{old}: &{old} [{', '.join([f'*{new}'] * 10)}]")
    text = "\n".join(lines) + "\nname: *h\n"
    message = refusal(tmp_path, yaml.safe_dump(GOOD) + text)
    assert "mine.yaml" in message and len(message) < 600
    recipe = changed("stages.first.source", "x" * 100000)
    assert len(refusal(tmp_path, recipe)) < 700


def test_recipe_based_on_itself_by_a_detour_or_on_a_name_too_long(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert "is based on itself" in refusal(tmp_path, "based_on: sub/../mine.yaml\n")
    assert "is neither a file" in refusal(tmp_path, f"based_on: {'x' * 300}\n")


def test_duplicated_key_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 3" in refusal(tmp_path, "name: a\ndomains: {}\nname: b\n")


MERGED = """
description: {description}
domains:
  src: &gta {{dataset: gta5, split: all, role: source}}
  again: &again
    <<: *gta
    split: other
  third:
    <<: *again
    limit: 5
  tgt: {{dataset: cityscapes, split: train, role: target}}
stages:
  only: {{stage: train, method: source_only, source: src, iterations: 1}}
"""


def test_merged_in_keys_may_be_overridden(tmp_path: Path) -> None:
    domains = load_recipe(write(tmp_path, MERGED.format(description="x"))).domains
    assert (domains["src"].split, domains["src"].role) == ("all", "source")
    assert (domains["again"].split, domains["again"].role) == ("other", "source")
    assert (domains["third"].split, domains["third"].limit) == ("other", 5)


def test_section_that_is_named_and_used_again_is_not_given_twice(tmp_path: Path) -> None:
    recipe = MERGED.replace("method: source_only", "method: &m {{name: source_only}}")
    recipe += "  more: {{stage: train, method: *m, source: again, iterations: 2}}\n"
    stages = load_recipe(write(tmp_path, recipe.format(description="x"))).stages
    assert stages["only"].method == stages["more"].method == {"name": "source_only"}


def test_binary_file_and_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(SegadaptError, match=r"binary\.yaml"):
        load_recipe(str(path))
    with pytest.raises(SegadaptError, match=r"'no-such-recipe'.*list recipes"):
        load_recipe("no-such-recipe")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("stages.first.iterations", "must have the form"),
        ("=3", "must have the form"),
        ("stages.first.iterations=[1", "not valid YAML"),
        ("stages.first.iterations=!!int abc", "not valid YAML"),
        ("stages.first.iterations=" + "[" * 3000, "nested too deep"),
        ("stages.first.iterations.more=1", "stages.first.iterations is a value, not a section"),
        ("stages.eval.checkpoints.0=x", "stages.eval.checkpoints is a value, not a section"),
        ("stages.first.iteratons=1", "stages.first.iteratons: unknown key"),
        ("stages.first.iterations=some", "stages.first.iterations"),
        ("stages.third.iterations=1", "stages.third: does not say what it is"),
        ("stages.third.iterations=1", "There are first, rank, pl, second, eval"),
    ],
)
def test_bad_override(tmp_path: Path, override: str, says: str) -> None:
    assert says in refusal(tmp_path, GOOD, override)
