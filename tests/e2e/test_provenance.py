"""No result is taken for that of other settings, and whatever is damaged is named."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import (
    Commands,
    checkpoint_hashes,
    read_metrics,
    recipe_of,
    run_recipe,
    small_domains,
    train,
    write_data,
    write_recipe,
)

from segadapt.base.errors import SegadaptError
from segadapt.commands.evaluate import checkpoint_files
from segadapt.report import build_report
from segadapt.report.read import read_run


def recipe(**changed: Any) -> dict[str, Any]:
    stages = {
        "first": train("source_only"),
        "rank": {
            "stage": "rank",
            "checkpoint": "first.checkpoint",
            "images": "target",
            "workers": 0,
            "gallery": 2,
        },
        "labels": {
            "stage": "pseudo_label",
            "checkpoint": "first.checkpoint",
            "images": "rank.easy",
            "workers": 0,
        },
        "last": train("source_only", source="labels.labels", start_from="first.checkpoint"),
        "evaluate": {
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["first.checkpoint", "last.checkpoint"],
            "workers": 0,
            "pictures": 1,
        },
    }
    return recipe_of(
        {k: v for k, v in (stages | changed).items() if v is not None}, small_domains()
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``data`` and ``run``, a finished run of the recipe above."""
    root = tmp_path_factory.mktemp("finished")
    write_data(root / "data")
    run_recipe(recipe(), root / "run", root / "data")
    return root


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished / "run", tmp_path / "run")
    return tmp_path / "run"


FILES = (
    "1-first/manifest.json",
    "1-first/checkpoint.safetensors",
    "2-rank/split.json",
    "3-labels/labels.json",
    "3-labels/manifest.json",
    "5-evaluate/report.json",
    "5-evaluate/manifest.json",
)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def null(path: Path) -> None:
    path.write_text("null")


def a_list(path: Path) -> None:
    path.write_text("[]")


def an_object(path: Path) -> None:
    path.write_text("{}")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [emptied, halved, null, a_list, an_object, noise, a_folder]


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        *((file, DAMAGES[i % len(DAMAGES)]) for i, file in enumerate(FILES)),
        *(("2-rank/split.json", damage) for damage in (emptied, noise, an_object)),
        *(("3-labels/manifest.json", damage) for damage in (emptied, null, an_object)),
    ],
)
def test_a_damaged_file_is_named_with_the_way_on(
    finished: Path, copied: Path, file: str, damage: Callable[[Path], None]
) -> None:
    damage(copied / file)
    stage = file.partition("/")[0].partition("-")[2]
    with pytest.raises(SegadaptError) as caught:
        run_recipe(recipe(), copied, finished / "data")
    told = str(caught.value)
    assert file.partition("/")[0] in told and f"--redo {stage}" in told
    assert len(told.splitlines()) == 1
    # What looks at the run alone leaves the stage out, and says so.
    run = read_run(copied)
    assert stage not in {s.name for s in run.stages}
    assert any(file.partition("/")[0] in x for x in run.info["warnings"])
    with_checkpoint = {"first", "last"} - {stage}
    assert set(checkpoint_files(copied)) == with_checkpoint


@pytest.mark.parametrize("damage", [noise, a_folder])
def test_a_damaged_log_or_recipe_does_not_keep_the_report_from_being_written(
    copied: Path, damage: Callable[[Path], None]
) -> None:
    damage(copied / "1-first/metrics.jsonl")
    build_report(copied)
    assert (copied / "report.html").is_file()


@pytest.mark.parametrize("damage", [emptied, null, noise])
def test_a_damaged_run_file_is_told(
    copied: Path, commands: Commands, damage: Callable[[Path], None]
) -> None:
    damage(copied / "run.json")
    command = commands.call("report", copied)
    assert command.exit_code == 2
    assert "run.json: is damaged" in command.stderr() and "Traceback" not in command.stderr()


def test_after_redo_all_is_as_it_was(finished: Path, copied: Path) -> None:
    halved(copied / "1-first/checkpoint.safetensors")
    run_recipe(recipe(), copied, finished / "data", redo="first")
    assert checkpoint_hashes(copied) == checkpoint_hashes(finished / "run")


def test_an_edited_split_is_told(finished: Path, copied: Path) -> None:
    path = copied / "2-rank/split.json"
    split = json.loads(path.read_text())
    split["images"][-1]["split"] = "easy"
    path.write_text(json.dumps(split))
    with pytest.raises(SegadaptError, match=r"split\.json is not as the stage left it; do"):
        run_recipe(recipe(), copied, finished / "data")


def test_exchanged_pictures_are_told(finished: Path, copied: Path) -> None:
    label = next((copied / "3-labels/labels").iterdir())
    label.write_bytes(label.read_bytes() + b"\0")
    with pytest.raises(SegadaptError, match="its pictures are not as the stage left it"):
        run_recipe(recipe(), copied, finished / "data")


def test_stages_of_a_recipe_that_was_edited_are_left_out(finished: Path, copied: Path) -> None:
    """A stage that is gone, and one that has another number now."""
    shorter = recipe(
        last=None,
        evaluate={
            "stage": "evaluate",
            "domain": "test",
            "checkpoints": ["first.checkpoint"],
            "workers": 0,
        },
    )
    run_recipe(shorter, copied, finished / "data")
    assert (copied / "4-last/checkpoint.safetensors").is_file()  # nothing of it is removed
    run = read_run(copied)
    assert [s.name for s in run.stages] == ["first", "rank", "labels", "evaluate"]
    assert any("4-last: is of no stage" in x for x in run.info["warnings"])
    assert any("5-evaluate: is of no stage" in x for x in run.info["warnings"])
    assert len(run.evaluations) == 1
    assert list(checkpoint_files(copied)) == ["first"]
    assert "4-last" in (copied / "report.html").read_text()


def test_old_weights_get_no_manifest_of_new_settings(
    finished: Path, copied: Path, tmp_path: Path
) -> None:
    """Whoever removes a manifest wants the stage done again."""
    for stage in ("4-last", "5-evaluate"):
        (copied / stage / "manifest.json").unlink()
    changed = recipe(
        last=train("source_only", source="labels.labels", start_from="first.checkpoint", flip=False)
    )
    run_recipe(changed, copied, finished / "data")
    run_recipe(changed, tmp_path / "anew", finished / "data")
    assert checkpoint_hashes(copied) == checkpoint_hashes(tmp_path / "anew")
    assert checkpoint_hashes(copied) != checkpoint_hashes(finished / "run")


def test_a_kill_beside_the_manifest_leaves_nothing_for_ever(finished: Path, copied: Path) -> None:
    manifest = json.loads((copied / "1-first/manifest.json").read_text())
    started = {"format": manifest["format"], "fingerprint": manifest["fingerprint"]}
    (copied / "1-first/started.json").write_text(json.dumps(started))
    run_recipe(recipe(), copied, finished / "data")
    assert not list(copied.rglob("started.json"))


def long(**settings: Any) -> dict[str, Any]:
    return recipe_of(
        {"first": train("source_only", iterations=40, log_every=7, **settings)}, small_domains()
    )


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_redo_goes_on_where_it_was_stopped_with_the_same_log(
    data: Path, tmp_path: Path, commands: Commands, number: signal.Signals
) -> None:
    path = write_recipe(long(save_every=5), tmp_path / "tiny.yaml")
    run = tmp_path / "run"
    words = ("run", path, "--out", run, "--data-root", data, "--device", "cpu")
    assert commands.call(*words).exit_code == 0
    whole, hashes = read_metrics(run / "1-first"), checkpoint_hashes(run)
    again = commands.start(*words, "--redo", "first")
    again.wait_until(lambda: (run / "redo.json").is_file() and (run / "1-first/state.pt").is_file())
    again.send(number)
    assert again.wait() in (130, 137)
    on = commands.call(*words, "--redo", "first")
    assert on.exit_code == 0, on.stderr()
    assert "goes on at iteration" in on.stdout()
    assert checkpoint_hashes(run) == hashes

    def without_speed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows]

    assert without_speed(read_metrics(run / "1-first")) == without_speed(whole)
    assert not (run / "redo.json").exists()
    once_more = commands.call(*words, "--redo", "first")
    assert "goes on at iteration" not in once_more.stdout()


def test_a_flipped_bit_in_a_state_is_told(data: Path, tmp_path: Path, commands: Commands) -> None:
    path = write_recipe(long(save_every=1), tmp_path / "tiny.yaml")
    state = tmp_path / "run/1-first/state.pt"
    words = ("run", path, "--out", tmp_path / "run", "--data-root", data, "--device", "cpu")
    command = commands.start(*words)
    command.wait_until(state.is_file)
    command.send(signal.SIGTERM)
    assert command.wait() == 130
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    on = commands.call(*words)
    assert on.exit_code == 2
    assert "state.pt: the saved training state is damaged; delete it" in on.stderr()
    assert "weights_only" not in on.stderr()


def test_checkpoints_may_be_read_by_those_whom_the_umask_lets(finished: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    path = finished / "run/1-first/checkpoint.safetensors"
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def bad_image(data: Path) -> Path:
    path = data / "rendered/images/train/003.png"
    path.write_bytes(path.read_bytes()[:300])
    return path


def test_a_file_that_stopped_a_run_may_be_replaced(data: Path, tmp_path: Path) -> None:
    """What was trained before is not lost, and ends as with the right file from the start."""
    content = recipe_of(
        {
            "few": train("source_only", iterations=1, batch_size=1),
            "all": train("source_only", iterations=12, save_every=1, start_from="few.checkpoint"),
        }
    )
    run_recipe(content, tmp_path / "right", data)
    good = (data / "rendered/images/train/003.png").read_bytes()
    path = bad_image(data)
    with pytest.raises(SegadaptError, match=r"003\.png: .*replace it, and a run goes on"):
        run_recipe(content, tmp_path / "run", data)
    assert (tmp_path / "run/1-few/manifest.json").is_file()
    begun = (tmp_path / "run/1-few/checkpoint.safetensors").stat().st_mtime_ns
    path.write_bytes(good)
    run_recipe(content, tmp_path / "run", data)
    assert (tmp_path / "run/1-few/checkpoint.safetensors").stat().st_mtime_ns == begun
    assert checkpoint_hashes(tmp_path / "run") == checkpoint_hashes(tmp_path / "right")


def test_a_data_file_exchanged_for_one_of_equal_size_is_noticed(data: Path, tmp_path: Path) -> None:
    content = recipe_of({"first": train("source_only", iterations=1)})
    run_recipe(content, tmp_path / "run", data)
    path = data / "rendered/labels/train/003.png"
    content_of = bytearray(path.read_bytes())
    content_of[-20] ^= 1
    path.write_bytes(content_of)
    with pytest.raises(SegadaptError, match="was run with other settings, data"):
        run_recipe(content, tmp_path / "run", data)
