"""Mistakes in parts of one's own: one sentence before the run, and an end in any case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import recipe_of, run_recipe, train, write_recipe

from segadapt.base.errors import SegadaptError

UNIT = Path(__file__).parents[1] / "unit"
sys.path.insert(0, str(UNIT))

MODEL = {"backbone": "wrong_parts:Good", "heads": "linear", "weights": "none"}


def model(**settings: str) -> dict[str, Any]:
    parts = {key: f"wrong_parts:{name}" for key, name in settings.items()}
    return recipe_of({"first": train("source_only", model={**MODEL, **parts})})


def method(name: str) -> dict[str, Any]:
    stage = train(f"wrong_parts:{name}", model=MODEL, target=None)
    return recipe_of({"first": stage})


def stage(name: str) -> dict[str, Any]:
    first = train("source_only", model=MODEL)
    return recipe_of({"first": first, "own": {"stage": f"wrong_parts:{name}"}})


BEFORE = {
    "trunk that raises": (model(backbone="Raises"), ["stages.first.model.backbone", "of no use"]),
    "trunk without arguments": (model(backbone="NoArguments"), ["cannot be built", "TypeError"]),
    "trunk without super": (model(backbone="NoSuper"), ["cannot be built", "AttributeError"]),
    "trunk without channels": (model(backbone="NoChannels"), ["channels"]),
    "trunk whose Config is no section": (model(backbone="NoSection"), ["Config", "Section"]),
    "middle that is no map": (model(backbone="BadMiddle"), ["middle 5"]),
    "multiple of nothing": (model(backbone="NoMultiple"), ["multiple 0"]),
    "trunk that gives no list": (model(backbone="OneTensor"), ["must give a list of maps"]),
    "trunk of other channels": (model(backbone="OtherChannels"), ["says (7,)", "have (6,)"]),
    "trunk of fewer maps": (model(backbone="TwoSaid"), ["says (6, 6)", "have (6,)"]),
    "trunk without forward": (model(backbone="NoForward"), ["NotImplementedError"]),
    "trunk that takes no such image": (model(backbone="Odd"), ["[64, 96]", "not (64, 96)"]),
    "head that gives a tensor": (model(heads="BareTensor"), ["stages.first.model"]),
    "head of other classes": (model(heads="OneTooMany"), ["main scores must be (N, 11, h, w)"]),
    "head of fewer levels": (model(heads="SaysTwoLevels"), ["['main']", "['main', 'aux']"]),
    "head that is no sum": (model(heads="SaysSum"), ["summands"]),
    "head of two minds": (model(heads="ForwardAlone"), ["main_scores of MainScores"]),
    "head that raises": (model(heads="HeadRaises"), ["stages.first.model.heads", "KeyError"]),
    "method that raises": (method("InitRaises"), ["stages.first.method", "TypeError"]),
    "method whose check raises": (method("CheckRaises"), ["stages.first.method", "what?"]),
    "method whose check says a number": (method("CheckNumber"), ["None or a sentence, not 5"]),
    "stage of an odd kind": (stage("OddKind"), ["stages.own.stage", "banana", "checkpoint"]),
    "stage with a list": (stage("OutputsList"), ["stages.own.stage", "mapped to kinds"]),
    "stage derived from nothing": (stage("DerivedFromNothing"), ["derived_from 'nothing'"]),
    "stage whose references raise": (stage("ReferencesRaise"), ["stages.own.stage", "KeyError"]),
    "stage of textual references": (stage("ReferencesText"), ["stages.own.stage", "Reference("]),
    "stage whose check fails": (stage("CheckFails"), ["stages.own", "ZeroDivisionError"]),
}


@pytest.mark.parametrize("case", BEFORE)
def test_mistake_is_told_before_any_training(case: str, data: Path, tmp_path: Path) -> None:
    recipe, words = BEFORE[case]
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe, tmp_path / "run", data)
    message = str(caught.value)
    assert len(message.splitlines()) == 1, message
    assert len(message) < 600, message
    for word in words:
        assert word in message
    assert not list((tmp_path / "run").rglob("metrics.jsonl"))


def test_norm_over_one_image_is_told_before_any_training(data: Path, tmp_path: Path) -> None:
    recipe = model(heads="BatchOfTwo")
    run_recipe(recipe, tmp_path / "two", data)
    recipe["stages"]["first"]["batch_size"] = 1
    with pytest.raises(SegadaptError, match=r"fail on one image of \[64, 96\].*a larger batch"):
        run_recipe(recipe, tmp_path / "one", data)


@pytest.mark.parametrize("returned", ["Nothing", "Numbers", "Images", "NoLoss"])
def test_method_that_returns_no_losses_is_told_in_the_first_iteration(
    returned: str, data: Path, tmp_path: Path
) -> None:
    says = rf"wrong_parts:StepReturns{returned}: step must return its losses"
    with pytest.raises(SegadaptError, match=says):
        run_recipe(method(f"StepReturns{returned}"), tmp_path / "run", data)


def test_stage_that_leaves_less_than_it_says_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SegadaptError, match=r"'own' .*has ended without leaving it.*'checkpoint'"):
        run_recipe(stage("LeavesNothing"), tmp_path / "run", data)


def command(recipe: Path, out: Path, data: Path, *words: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(UNIT), os.environ.get("PYTHONPATH", "")])
    options = ["--out", out, "--data-root", data, "--device", "cpu", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "segadapt", "run", str(recipe), *map(str, options)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


STEP = (method("StepRaises"), ["RuntimeError", "in stage first", "--debug"])
RUN = (stage("RunRaises"), ["ZeroDivisionError", "wrong_parts.py", "in stage own", "by hand"])


@pytest.mark.parametrize(
    ("recipe", "says", "words"),
    [
        (*STEP, ()),
        (*RUN, ()),
        pytest.param(*STEP, ("--devices", "2"), marks=pytest.mark.slow),
        pytest.param(*RUN, ("--devices", "2"), marks=pytest.mark.slow),
    ],
)
def test_error_that_nobody_foresaw_ends_the_command_in_a_sentence(
    recipe: dict[str, Any], says: list[str], words: tuple[str, ...], data: Path, tmp_path: Path
) -> None:
    """Also while processes decode images, for which Python would wait for ever."""
    recipe["stages"]["first"]["workers"] = 1
    start = time.monotonic()
    running = command(write_recipe(recipe, tmp_path / "r.yaml"), tmp_path / "run", data, *words)
    try:
        _, errors = running.communicate(timeout=90)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert time.monotonic() - start < 80
    assert running.returncode == 1, errors
    (sentence,) = [line for line in errors.splitlines() if line.startswith("segadapt: ")]
    assert "Traceback" not in errors
    for word in says:
        assert word in sentence
    end = time.monotonic() + 10
    with pytest.raises(ProcessLookupError):  # nothing of it is left
        while time.monotonic() < end:
            os.killpg(running.pid, 0)
            time.sleep(0.1)
