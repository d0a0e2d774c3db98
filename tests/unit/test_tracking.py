"""Trackers are told what a run's files get: once, in order, also over several commands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tracking_libraries import put_mlflow, put_trackio, put_wandb

from segadapt.base.errors import SegadaptError
from segadapt.tracking.choice import TRACKERS, require_trackers
from segadapt.tracking.told import forget_told
from segadapt.tracking.tracked import Tracked
from segadapt.verbs.options import Tracker

FINGERPRINTS = {"advent": "a1", "evaluate": "b1"}
SETTINGS = {"seed": 0, "stages": {"advent": {"method": "advent"}}}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tracking sets is put back afterwards, too."""
    ours = ("WANDB_", "MLFLOW_", "TRACKIO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    monkeypatch.setattr(os, "environ", kept)


def record(run: Path, iteration: int, file: str = "metrics.jsonl", **values: Any) -> None:
    folder = run / "1-advent"
    folder.mkdir(exist_ok=True)
    with (folder / file).open("a") as log:
        log.write(json.dumps({"iteration": iteration, **values}) + "\n")


def evaluation(run: Path) -> Path:
    folder = run / "2-evaluate"
    folder.mkdir()
    for name in ("image", "truth", "advent"):
        Image.new("RGB", (4, 3), (255, 0, 0)).save(folder / f"{name}.png")
    scores = {"checkpoint": "advent", "miou": 0.5, "iou": [0.25, None], "oracle": False}
    (folder / "report.json").write_text(
        json.dumps(
            {
                "classes": ["road", "sky"],
                "colours": [[1, 2, 3], [4, 5, 6]],
                "measure": "mIoU",
                "scores": [scores, {**scores, "checkpoint": "full", "oracle": True}],
                "pictures": [
                    {
                        "name": "a",
                        "image": "image.png",
                        "truth": "truth.png",
                        "predictions": {"advent": {"label": "advent.png"}},
                    }
                ],
            }
        )
    )
    return folder


def opened(run: Path, *names: str, fingerprints: dict[str, str] = FINGERPRINTS) -> Tracked:
    tracked = Tracked(names)
    tracked.open(run, "tiny-seed0", SETTINGS, fingerprints)
    return tracked


def of(calls: list[tuple[str, Any]], name: str) -> list[Any]:
    return [value for call, value in calls if call == name]


def test_the_options_are_the_trackers() -> None:
    assert {tracker.value for tracker in Tracker} == set(TRACKERS)


def test_a_missing_library_is_told_and_nothing_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("segadapt.base.extras.find_spec", lambda name: None)
    with pytest.raises(SegadaptError, match=r"needs wandb: pip install 'segadapt\[wandb\]'"):
        require_trackers(["wandb"], tmp_path)
    with pytest.raises(SegadaptError, match="choose of wandb, trackio, mlflow, tensorboard"):
        require_trackers(["neptune"], tmp_path)


def test_wandb_gets_records_once_and_goes_on_in_the_same_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = put_wandb(monkeypatch)
    require_trackers(["wandb"], tmp_path)
    tracked = opened(tmp_path, "wandb")
    for iteration in (1, 2, 3):
        record(tmp_path, iteration, loss_seg=float(iteration))
        tracked.logged("advent", tmp_path / "1-advent")
    tracked.close(complete=False)
    # The run was killed after its state of iteration 2 was saved: 3 is written once more.
    (tmp_path / "1-advent/metrics.jsonl").unlink()
    tracked = opened(tmp_path, "wandb")
    for iteration in (1, 2, 3, 4):
        record(tmp_path, iteration, loss_seg=float(iteration))
    record(tmp_path, 4, "validation.jsonl", miou=0.25, domain="idd val")
    tracked.finished("advent", tmp_path / "1-advent")
    tracked.finished("evaluate", evaluation(tmp_path))
    tracked.close(complete=True)
    first, second = of(calls, "init")
    assert first["id"] == second["id"] and first["name"] == "tiny-seed0"
    assert first["mode"] == "offline" and first["config"] == SETTINGS
    assert "wandb sync" in capsys.readouterr().out
    logged = of(calls, "log")
    assert [(x["advent/iteration"], x["advent/loss_seg"]) for x in logged[:4]] == [
        (1, 1.0),
        (2, 2.0),
        (3, 3.0),
        (4, 4.0),
    ]
    assert logged[4] == {"advent/validation_miou": 0.25, "advent/iteration": 4}
    assert logged[5] == {
        "evaluate/mIoU/advent": 0.5,
        "evaluate/mIoU advent/road": 0.25,
        "evaluate/mIoU/full uses target labels": 0.5,
        "evaluate/mIoU full uses target labels/road": 0.25,
        "evaluate/iteration": 0,
    }
    assert [next(iter(x)) for x in logged[6:]] == [
        "evaluate/000/image",
        "evaluate/000/truth",
        "evaluate/000/advent",
    ]
    assert of(calls, "define_metric")[0] == ("advent/*", "advent/iteration")
    assert of(calls, "finish") == [1, 0]


def test_wandb_with_a_key_is_online_unless_its_variable_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = put_wandb(monkeypatch, has_key=True)
    opened(tmp_path, "wandb").close(complete=True)
    monkeypatch.setenv("WANDB_MODE", "offline")
    opened(tmp_path, "wandb").close(complete=True)
    assert [x["mode"] for x in of(calls, "init")] == ["online", "offline"]


@pytest.mark.parametrize("how", ["redo", "other settings"])
def test_what_is_done_again_is_another_tracked_run(
    how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = put_wandb(monkeypatch)
    record(tmp_path, 1, loss_seg=1.0)
    for again in (False, True):
        if again and how == "redo":
            forget_told(tmp_path)
        changed = {"advent": "a2"} if again and how != "redo" else {}
        tracked = opened(tmp_path, "wandb", fingerprints=FINGERPRINTS | changed)
        tracked.finished("advent", tmp_path / "1-advent")
        tracked.close(complete=True)
    first, second = of(calls, "init")
    assert first["id"] != second["id"] and len(of(calls, "log")) == 2


def test_mlflow_writes_below_the_run_and_goes_on_in_the_same_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = put_mlflow(monkeypatch)
    for iteration in (1, 2):
        record(tmp_path, iteration, loss_seg=float(iteration))
        tracked = opened(tmp_path, "mlflow")
        tracked.logged("advent", tmp_path / "1-advent")
        tracked.close(complete=iteration == 2)
    tracked = opened(tmp_path, "mlflow")
    tracked.finished("evaluate", evaluation(tmp_path))
    place = f"sqlite:///{tmp_path}/tracking/mlflow.db"
    assert of(calls, "client") == [place] * 3 and len(of(calls, "create_run")) == 1
    (where,) = of(calls, "create_experiment")
    assert where == ("segadapt", f"file://{tmp_path}/tracking/mlflow")
    sent = [batch for batch in of(calls, "log_batch") if batch]
    assert sent[:2] == [[("advent/loss_seg", 1.0, 1)], [("advent/loss_seg", 2.0, 2)]]
    assert ("evaluate/mIoU/advent", 0.5, 0) in sent[2]
    assert of(calls, "log_image")[2] == "evaluate/000/advent.png"
    assert of(calls, "set_terminated") == [("run-0", "KILLED"), ("run-0", "FINISHED")]


def test_trackio_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = put_trackio(monkeypatch)
    record(tmp_path, 5, loss_seg=1.0)
    tracked = opened(tmp_path, "trackio")
    tracked.finished("advent", tmp_path / "1-advent")
    tracked.finished("evaluate", evaluation(tmp_path))
    tracked.close(complete=True)
    ((project, name, resume, space),) = of(calls, "init")
    assert (project, resume, space) == ("segadapt", "allow", None)
    assert name.startswith("tiny-seed0-")
    assert of(calls, "log")[0] == (5, {"advent/loss_seg": 1.0})
    assert calls[-1] == ("finish", None)


def test_tensorboard_reads_what_was_told(tmp_path: Path) -> None:
    record(tmp_path, 1, loss_seg=1.5)
    record(tmp_path, 2, loss_seg=0.5)
    tracked = opened(tmp_path, "tensorboard")
    tracked.finished("advent", tmp_path / "1-advent")
    tracked.finished("evaluate", evaluation(tmp_path))
    tracked.close(complete=True)
    (folder,) = (tmp_path / "tracking/tensorboard").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    assert [(x.step, x.value) for x in events.Scalars("advent/loss_seg")] == [(1, 1.5), (2, 0.5)]
    assert events.Scalars("evaluate/mIoU/advent")[0].value == 0.5
    picture = events.Images("evaluate/000/advent")[0]
    assert (picture.width, picture.height) == (4, 3)


def test_a_tracker_that_fails_is_warned_of_once_and_told_the_rest_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = put_trackio(monkeypatch)
    tracked = opened(tmp_path, "trackio", "tensorboard")
    run_class = type(sys.modules["trackio"].init("p"))
    log = run_class.log
    record(tmp_path, 1, loss_seg=1.0)
    tracked.logged("advent", tmp_path / "1-advent")

    def fails(self: Any, metrics: dict[str, Any], step: int | None = None) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(run_class, "log", fails)
    for iteration in (2, 3):
        record(tmp_path, iteration, loss_seg=1.0)
        tracked.logged("advent", tmp_path / "1-advent")
    tracked.close(complete=True)
    warnings = [x for x in capsys.readouterr().out.splitlines() if x.startswith("warning:")]
    assert len(warnings) == 1
    assert "--track trackio: has failed" in warnings[0] and "no route to host" in warnings[0]
    monkeypatch.setattr(run_class, "log", log)
    tracked = opened(tmp_path, "trackio")
    tracked.finished("advent", tmp_path / "1-advent")
    assert [step for step, _ in of(calls, "log")] == [1, 2, 3]


def test_a_tracker_that_cannot_begin_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_trackio(monkeypatch)

    def init(**arguments: Any) -> None:
        raise ValueError("bad project")

    monkeypatch.setattr("trackio.init", init)
    with pytest.raises(SegadaptError, match=r"--track trackio: cannot begin \(ValueError: bad"):
        opened(tmp_path, "trackio")


def test_without_trackers_nothing_is_made(tmp_path: Path) -> None:
    tracked = opened(tmp_path)
    record(tmp_path, 1, loss_seg=1.0)
    tracked.finished("advent", tmp_path / "1-advent")
    tracked.close(complete=True)
    assert [path.name for path in tmp_path.iterdir()] == ["1-advent"]
