"""Numbers that nobody can mean are refused with their place, in every setting that there is."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import domains, recipe_of, run_recipe, train, write_data

from segadapt.base.errors import SegadaptError
from segadapt.commands.check import check_recipe
from segadapt.config.load import validate

TINY = {"backbone": "squeezenet1_0", "weights": "none"}
FROM = {"checkpoint": "first.checkpoint", "images": "target"}
STAGES: dict[str, dict[str, Any]] = {
    "draw": {"stage": "draw", "counts": {"rendered": 4}, "size": [64, 96]},
    "prior": {"stage": "class_prior", "source": "source"},
    "first": train("source_only", jitter={"shift": 0.1}, snapshots=2),
    "advent": train({"name": "advent", "class_prior": {}}, class_prior="prior.shares"),
    "minent": train("minent"),
    "clan": train("clan", model={**TINY, "heads": "sum"}),
    "cirn": train("cirn", model={**TINY, "heads": "ancillary"}),
    "daformer": train("source_only", model={**TINY, "heads": "daformer"}),
    "rank": {"stage": "rank", **FROM},
    "split": {"stage": "pixel_split", **FROM},
    "adaptive": {"stage": "pixel_split", **FROM, "selection": {"rule": "instance_adaptive"}},
    "pixels": {**train("source_only", source="split.labels"), "method": "pixintrada"},
    "select": {"stage": "select", "snapshots": "first.snapshots", "images": "target"},
    "cyclegan": {
        "stage": "train_translator",
        "source": "source",
        "target": "target",
        "iterations": 4,
    },
    "fda": {
        "stage": "translate",
        "source": "source",
        "target": "target",
        "translation": {"beta": 0.05},
    },
    "labels": {"stage": "pseudo_label", "checkpoint": "first.checkpoint", "images": "rank.easy"},
    "evaluate": {"stage": "evaluate", "domain": "test", "checkpoints": ["first.checkpoint"]},
}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """A recipe that says every setting of every stage and method."""
    found = validate(recipe_of(STAGES), "tiny")
    plain = found.model_dump(mode="json")
    return {
        "name": "tiny",
        "domains": plain["domains"],
        "stages": {name: stage.complete() for name, stage in found.stages.items()},
    }


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all numbers."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        if isinstance(item, dict | list):
            yield from numbers(item, (*place, key))
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield (*place, key)


def changed(recipe: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(recipe)
    inside = copied
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return copied


@pytest.mark.parametrize("value", [10**12, 1e300, -1, math.nan, math.inf, "3 or so", 1e-400 - 1])
def test_it_is_refused_with_its_place(whole: dict[str, Any], value: Any) -> None:
    places = list(numbers(whole))
    assert len(places) > 150
    for place in places:
        with pytest.raises(SegadaptError) as caught:
            validate(changed(whole, place, value), "tiny")
        told = str(caught.value)
        named = [str(key) for key in place if not isinstance(key, int)]
        assert named[-1] in told, (place, told)
        assert len(told.splitlines()) == 1 and len(told) < 500


def small_test_images(recipe: dict[str, Any]) -> None:
    recipe["domains"] = domains(test={"size": [8, 8]})


def small_scale(recipe: dict[str, Any]) -> None:
    recipe["stages"]["last"]["scales"] = [0.1, 1]


def small_window(recipe: dict[str, Any]) -> None:
    recipe["domains"]["test"]["size"] = [32, 48]  # hundreds of windows else
    recipe["stages"]["evaluate"] |= {"views": {"window": [8, 8]}, "pictures": 1}


def long_title(recipe: dict[str, Any]) -> None:
    weights = {"first.checkpoint": 1, "last.checkpoint": 1}
    recipe["stages"]["evaluate"]["ensembles"] = {"e" * 300: weights}


def odd_title(recipe: dict[str, Any]) -> None:
    weights = {"first.checkpoint": 1, "last.checkpoint": 1}
    recipe["stages"]["evaluate"]["ensembles"] = {"a\nb": weights}


def large_batch(recipe: dict[str, Any]) -> None:
    recipe["stages"]["last"]["batch_size"] = 10**6


@pytest.mark.parametrize(
    "change", [small_test_images, small_scale, small_window, long_title, odd_title, large_batch]
)
def test_it_is_refused_before_the_first_stage_or_works(tmp_path: Path, change: Any) -> None:
    """Such recipes ended in tracebacks after hours: ``check`` says what ``run`` does."""
    data = write_data(tmp_path / "data")
    content = recipe_of(
        {
            "first": train("source_only", iterations=1),
            "last": train("advent", iterations=1),
            "evaluate": {
                "stage": "evaluate",
                "domain": "test",
                "checkpoints": ["first.checkpoint", "last.checkpoint"],
                "workers": 0,
            },
        }
    )
    change(content)
    try:
        check_recipe(validate(content, "tiny"), data)
    except SegadaptError as refused:
        with pytest.raises(SegadaptError) as caught:
            run_recipe(content, tmp_path / "run", data)
        assert str(caught.value) in str(refused)
        assert not list((tmp_path / "run").rglob("metrics.jsonl"))
    else:
        run_recipe(content, tmp_path / "run", data)
