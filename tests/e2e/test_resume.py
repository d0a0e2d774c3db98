"""Commands that are killed, stopped or run out of disk: the same command again ends the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import (
    Command,
    Commands,
    checkpoint_hashes,
    children,
    read_metrics,
    recipe_of,
    run_recipe,
    small_domains,
    snapshot,
    train,
    write_data,
    write_recipe,
)

from segadapt.artefacts import read_json
from segadapt.base.errors import SegadaptError

ITERATIONS = 12
SAVE_EVERY = 4


def stages() -> dict[str, dict[str, Any]]:
    return {
        "advent": train("advent", iterations=ITERATIONS, save_every=SAVE_EVERY),
        "rank": {
            "stage": "rank",
            "checkpoint": "advent.checkpoint",
            "images": "target",
            "batch_size": 1,
        },
        "labels": {
            "stage": "pseudo_label",
            "checkpoint": "advent.checkpoint",
            "images": "rank.easy",
            "batch_size": 1,
        },
        "intra": train(
            "minent",
            source="labels.labels",
            target="rank.hard",
            iterations=2,
            jitter={"scale": (0.8, 1.25), "shift": 0.1},
        ),
        "evaluate": {"stage": "evaluate", "domain": "test", "checkpoints": ["intra.checkpoint"]},
        "pixels": {
            "stage": "pixel_split",
            "checkpoint": "advent.checkpoint",
            "images": "target",
            "selection": {"proportion": 0.5},
            "batch_size": 1,
        },
        "pixel-intra": train(
            {"name": "pixintrada", "discriminator_width": 4},
            source="pixels.labels",
            target=None,
            scales=(1.0, 1.5),
            save_every=1,
        ),
    }


def recipe() -> dict[str, Any]:
    return recipe_of(stages(), small_domains())


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, ``recipe.yaml`` and an undisturbed ``run``."""
    folder = tmp_path_factory.mktemp("resume")
    write_data(folder / "data")
    write_recipe(recipe(), folder / "recipe.yaml")
    run_recipe(recipe(), folder / "run", folder / "data")
    return folder


def start(commands: Commands, setting: Path, out: Path) -> Command:
    return commands.start(
        "run",
        setting / "recipe.yaml",
        "--out",
        out,
        "--data-root",
        setting / "data",
        "--device",
        "cpu",
    )


def records(run: Path) -> int:
    """Lines of the first stage's log so far."""
    path = run / "1-advent" / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def without_speed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows]


def assert_same_as_undisturbed(run: Path, setting: Path) -> None:
    expected = setting / "run"
    assert checkpoint_hashes(run) == checkpoint_hashes(expected)
    for name in ("1-advent", "4-intra"):
        assert without_speed(read_metrics(run / name)) == without_speed(
            read_metrics(expected / name)
        )
    assert [row["iteration"] for row in read_metrics(run / "1-advent")] == list(
        range(1, ITERATIONS + 1)
    )
    for file in ("2-rank/split.json", "3-labels/labels.json", "5-evaluate/report.json"):
        assert read_json(run / file) == read_json(expected / file)
    labels = sorted(x.name for x in (expected / "3-labels" / "labels").iterdir())
    for name in labels:
        assert (run / "3-labels" / "labels" / name).read_bytes() == (
            expected / "3-labels" / "labels" / name
        ).read_bytes()
    assert sorted(x.name for x in (run / "3-labels" / "labels").iterdir()) == labels
    for path in sorted((expected / "6-pixels").rglob("*.png")):
        other = run / path.relative_to(expected)
        assert other.read_bytes() == path.read_bytes()
    assert list(run.rglob("*.partial")) == []
    assert list(run.rglob("started.json")) == []
    assert list(run.rglob("state.pt")) == []


def exists(path: str) -> Callable[[Path], bool]:
    return lambda run: (run / path).exists()


KILL_POINTS: dict[str, Callable[[Path], bool]] = {
    "before any record": exists("1-advent/started.json"),
    "before the first saved state": lambda run: records(run) >= 2,
    "between two saved states": lambda run: records(run) >= SAVE_EVERY + 2,
    "while a state is written": lambda run: (
        records(run) > SAVE_EVERY and (run / "1-advent" / "state.pt.partial").exists()
    ),
    "ranking": exists("2-rank/started.json"),
    "labelling": lambda run: any((run / "3-labels" / "labels").glob("*.png")),
    "second training": exists("4-intra/metrics.jsonl"),
    "evaluating": exists("5-evaluate/started.json"),
    "drawing pictures": exists("5-evaluate/pictures"),
    "splitting pixels": lambda run: any((run / "6-pixels" / "labels").glob("*.png")),
    "training on pixels": exists("7-pixel-intra/state.pt"),
}


SLOW = (
    "before any record",
    "before the first saved state",
    "labelling",
    "second training",
    "drawing pictures",
    "splitting pixels",
)


@pytest.mark.parametrize(
    "point",
    [pytest.param(x, marks=pytest.mark.slow) if x in SLOW else x for x in KILL_POINTS],
)
def test_killed_run_goes_on_to_the_same_result(
    point: str, setting: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    command = start(commands, setting, run)
    command.wait_until(lambda: KILL_POINTS[point](run))
    command.send(signal.SIGKILL)
    assert command.wait() == 128 + signal.SIGKILL
    assert not (run / "7-pixel-intra" / "manifest.json").exists()
    run_recipe(recipe(), run, setting / "data")
    assert_same_as_undisturbed(run, setting)


def test_run_killed_again_and_again_goes_on_to_the_same_result(
    setting: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    for lines in (SAVE_EVERY + 1, 2 * SAVE_EVERY + 1):
        command = start(commands, setting, run)
        command.wait_until(lambda lines=lines: records(run) >= lines)  # type: ignore[misc]
        command.send(signal.SIGKILL)
        command.wait()
    command = start(commands, setting, run)
    assert command.wait() == 0, command.stderr()
    assert f"advent: goes on at iteration {2 * SAVE_EVERY}" in command.stdout()
    assert_same_as_undisturbed(run, setting)


TERM = pytest.param(signal.SIGTERM, marks=pytest.mark.slow)


@pytest.mark.parametrize("which", [signal.SIGINT, TERM, signal.SIGUSR1])
def test_stopped_run_saves_its_state_and_goes_on_to_the_same_result(
    which: signal.Signals, setting: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    command = start(commands, setting, run)
    command.wait_until(lambda: records(run) >= SAVE_EVERY + 1)
    command.send(which)
    assert command.wait() in (128 + signal.SIGINT, 128 + which)
    message = command.stderr().strip()
    assert len(message.splitlines()) == 1 and "goes on" in message
    done = read_metrics(run / "1-advent")[-1]["iteration"]
    assert SAVE_EVERY < done < ITERATIONS and f"after iteration {done}" in message
    saved = torch.load(run / "1-advent" / "state.pt", weights_only=True)
    assert saved["iteration"] == done, "stopping must not lose iterations"
    command = start(commands, setting, run)
    assert command.wait() == 0, command.stderr()
    assert f"goes on at iteration {done}" in command.stdout()
    assert_same_as_undisturbed(run, setting)


@pytest.mark.parametrize("which", [TERM, signal.SIGUSR1])
def test_schedulers_that_signal_all_processes_lose_nothing(
    which: signal.Signals, setting: Path, tmp_path: Path, commands: Commands
) -> None:
    run = tmp_path / "run"
    stage = train("advent", iterations=200, save_every=100, workers=1)
    recipe = write_recipe(recipe_of({"advent": stage}, small_domains()), tmp_path / "recipe.yaml")
    arguments = ("--out", run, "--data-root", setting / "data", "--device", "cpu")
    command = commands.start("run", recipe, *arguments)
    command.wait_until(lambda: records(run) >= 3)
    workers = children(command.pid)
    assert len(workers) == 2
    for pid in (*workers, command.pid, *workers):
        os.kill(pid, which)
    assert command.wait() in (128 + signal.SIGINT, 128 + which)
    message = command.stderr().strip()
    assert len(message.splitlines()) == 1 and "goes on" in message
    saved = torch.load(run / "1-advent" / "state.pt", weights_only=True)
    assert saved["iteration"] == read_metrics(run / "1-advent")[-1]["iteration"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_stopped_outside_of_training_without_traceback(
    which: signal.Signals, setting: Path, tmp_path: Path, commands: Commands
) -> None:
    for attempt in range(5):
        run = tmp_path / f"run-{attempt}"
        command = start(commands, setting, run)
        command.wait_until(lambda run=run: (run / "2-rank" / "started.json").exists())
        command.send(which)
        code = command.wait()
        # On a busy machine this process may sleep until the run of a second has ended by itself.
        if not (run / "7-pixel-intra" / "manifest.json").exists():
            break
    assert code == 128 + which, command.stderr()
    assert "Traceback" not in command.stderr()
    run_recipe(recipe(), run, setting / "data")
    assert_same_as_undisturbed(run, setting)


@pytest.fixture(scope="module")
def stopped_once(
    setting: Path, tmp_path_factory: pytest.TempPathFactory, commands: Commands
) -> Path:
    run = tmp_path_factory.mktemp("stopped") / "run"
    command = start(commands, setting, run)
    command.wait_until(lambda: records(run) >= SAVE_EVERY + 1)
    command.send(signal.SIGTERM)
    command.wait()
    return run


@pytest.fixture
def stopped(stopped_once: Path, tmp_path: Path) -> Path:
    """A run that was stopped in the middle of its first training, its state saved."""
    return Path(shutil.copytree(stopped_once, tmp_path / "run"))


def test_leftovers_of_unfinished_writes_do_no_harm(stopped: Path, setting: Path) -> None:
    stage = stopped / "1-advent"
    for name in ("state.pt", "checkpoint.safetensors", "metrics.jsonl", "manifest.json"):
        (stage / f"{name}.partial").write_bytes(b"half a fi")
    with (stage / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 9, "loss_seg')
    run_recipe(recipe(), stopped, setting / "data")
    assert_same_as_undisturbed(stopped, setting)


def test_state_of_an_older_time_than_the_log_does_no_harm(stopped: Path, setting: Path) -> None:
    """A kill between a record and its state leaves records that the resumed run makes again."""
    with (stopped / "1-advent" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"iteration": ITERATIONS - 1, "loss_seg_main": 1.0}) + "\n")
    run_recipe(recipe(), stopped, setting / "data")
    assert_same_as_undisturbed(stopped, setting)


@pytest.mark.parametrize("damage", ["cut off", "emptied", "overwritten", "of another model"])
def test_damaged_state_is_told_in_one_sentence(damage: str, stopped: Path, setting: Path) -> None:
    state = stopped / "1-advent" / "state.pt"
    if damage == "cut off":
        os.truncate(state, state.stat().st_size // 2)
    elif damage == "emptied":
        state.write_bytes(b"")
    elif damage == "overwritten":
        state.write_bytes(b"not a saved state" * 1000)
    else:
        saved = torch.load(state, weights_only=True)
        saved["networks"]["model"] = {"conv1.weight": torch.zeros(3)}
        torch.save(saved, state)
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe(), stopped, setting / "data")
    message = str(caught.value)
    assert str(state) in message and "delete it to start this stage" in message
    assert len(message.splitlines()) == 1


def test_stage_starts_over_where_its_state_was_deleted(stopped: Path, setting: Path) -> None:
    (stopped / "1-advent" / "state.pt").unlink()
    run_recipe(recipe(), stopped, setting / "data")
    assert_same_as_undisturbed(stopped, setting)


def test_stage_killed_between_checkpoint_and_manifest_is_not_trained_again(
    setting: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(setting / "run", tmp_path / "run"))
    stage = run / "1-advent"
    fingerprint = read_json(stage / "manifest.json")["fingerprint"]
    (stage / "started.json").write_text(json.dumps({"fingerprint": fingerprint}))
    (stage / "manifest.json").unlink()
    before = (stage / "metrics.jsonl").stat().st_mtime_ns
    run_recipe(recipe(), run, setting / "data")
    assert (stage / "metrics.jsonl").stat().st_mtime_ns == before
    assert_same_as_undisturbed(run, setting)


@pytest.mark.parametrize("file", ["manifest.json", "started.json"])
def test_run_of_another_version_ends_in_a_sentence(data: Path, tmp_path: Path, file: str) -> None:
    """As version 0.1 left it: fingerprints of other contents, and no format."""
    recipe, run = recipe_of({"first": train("source_only")}), tmp_path / "run"
    run_recipe(recipe, run, data)
    stage = run / "1-first"
    found = read_json(stage / "manifest.json")
    (stage / "manifest.json").unlink()
    old = {k: v for k, v in found.items() if k != "format"} | {"fingerprint": "0" * 64}
    (stage / file).write_text(json.dumps(old))
    (stage / "state.pt").write_bytes(b"")
    before = snapshot(stage)
    with pytest.raises(SegadaptError, match=r"with another version of segadapt.*with --out"):
        run_recipe(recipe, run, data)
    assert snapshot(stage) == before
