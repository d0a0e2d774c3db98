"""Runs that trackers follow: real trainings, TensorBoard's real files, a stand-in of Trackio."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harness import recipe_of, run_recipe, train, write_data
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from tracking_libraries import put_trackio

from segadapt.base.errors import SegadaptError
from segadapt.runs.tracked import tracked_run
from segadapt.stages.context import StageContext

STAGES: dict[str, dict[str, Any]] = {
    "first": train("source_only", iterations=2, log_every=1),
    "evaluate": {"stage": "evaluate", "domain": "test", "checkpoints": ["first.checkpoint"]},
}


def test_a_run_is_told_as_it_goes_and_a_finished_one_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data(tmp_path / "data")
    given = (recipe_of(STAGES), tmp_path / "run", tmp_path / "data")
    run = run_recipe(*given, track=["tensorboard"])
    (events,) = (run / "tracking/tensorboard").iterdir()
    found = EventAccumulator(str(events)).Reload()
    assert [x.step for x in found.Scalars("first/loss_seg_main")] == [1, 2]
    assert len(found.Images("evaluate/000/first")) == 1
    assert not list(run.rglob("1-first/tensorboard"))

    calls = put_trackio(monkeypatch)
    run_recipe(*given, track=["trackio"])
    run_recipe(*given, track=["trackio"])  # has nothing new to tell
    run_recipe(*given, track=["trackio"], redo="evaluate")  # is another tracked run
    begun = [i for i, (call, _) in enumerate(calls) if call == "init"]
    names = [calls[i][1][1] for i in begun]
    assert names[0] == names[1] != names[2]
    first = [value for call, value in calls[: begun[1]] if call == "log"]
    assert [step for step, values in first if "first/lr" in values] == [1, 2]
    assert [1 for _, values in first if "evaluate/mIoU/first" in values] == [1]
    assert [call for call, _ in calls[begun[1] : begun[2]]] == ["init", "finish"]
    assert len(calls[begun[2] :]) == begun[1]


def test_a_missing_library_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data(tmp_path / "data")
    monkeypatch.setattr("segadapt.base.extras.find_spec", lambda name: None)
    with pytest.raises(SegadaptError, match=r"--track mlflow: needs mlflow: pip install"):
        run_recipe(recipe_of(STAGES), tmp_path / "run", tmp_path / "data", track=["mlflow"])
    assert not (tmp_path / "run").exists()


def test_only_the_first_process_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = put_trackio(monkeypatch)
    from segadapt.config.load import validate

    recipe = validate(recipe_of(STAGES), "tiny")
    context = StageContext(recipe, tmp_path, tmp_path, 0, track=("trackio",))
    for first in (False, True):
        processes: Any = SimpleNamespace(is_first=first, gather=lambda value: [value])
        with tracked_run(processes, context, {}):
            pass
        assert len(calls) == (2 if first else 0)
