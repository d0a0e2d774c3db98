"""Whatever fails between the processes, a command ends within seconds, in a sentence."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import (
    Commands,
    checkpoint_hashes,
    children,
    is_alive,
    recipe_of,
    run_recipe,
    train,
    write_recipe,
)

SECONDS = 60
"""The start of Python and torch included."""


def training(**settings: Any) -> dict[str, Any]:
    return recipe_of({"first": train("source_only", workers=2, **settings)})


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("which", [0, 1])
def test_a_decoding_process_that_is_killed_is_told(
    data: Path, tmp_path: Path, commands: Commands, which: int
) -> None:
    """As the kernel does it where memory runs out."""
    path = write_recipe(training(iterations=100000, save_every=1), tmp_path / "tiny.yaml")
    run = tmp_path / "run"
    command = commands.start(*("run", path, "--out", run, "--data-root", data, "--device", "cpu"))
    command.wait_until(lambda: (run / "1-first/state.pt").is_file())
    workers = sorted(children(command.pid))
    assert len(workers) >= 2
    start = time.monotonic()
    os.kill(workers[which], signal.SIGKILL)
    assert command.wait() == 2, command.stderr()
    assert time.monotonic() - start < 20
    told = command.stderr()
    assert "a process that decodes images died" in told and "goes on from the last" in told
    assert "Traceback" not in told
    assert not [pid for pid in workers if is_alive(pid)]


def under(
    limit: str, *arguments: object, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """``segadapt ARGUMENTS`` in a shell that has said ``limit`` before."""
    words = " ".join(f"'{x}'" for x in (sys.executable, "-m", "segadapt", *arguments))
    return subprocess.run(
        [*before, "bash", "-c", f"{limit}; exec {words}"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def may_mount() -> bool:
    tool = shutil.which("unshare")
    wanted = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]
    return tool is not None and subprocess.run(wanted, capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="a small /dev/shm needs the right to mount")
@pytest.mark.parametrize("size", ["4k", pytest.param("128k", marks=pytest.mark.slow)])
def test_without_room_in_shared_memory_it_goes_on_or_ends(
    data: Path, tmp_path: Path, size: str
) -> None:
    """Docker gives 64 MB; a training that waited for ever now ends with the same weights."""
    recipe = training()
    path = write_recipe(recipe, tmp_path / "tiny.yaml")
    words = ("run", path, "--out", tmp_path / "small", "--data-root", data, "--device", "cpu")
    small = f"mount -t tmpfs -o size={size} tmpfs /dev/shm"
    done = under(small, *words, before=("unshare", "-m"))
    if size == "4k":
        assert done.returncode == 2
        assert "decode between the steps (workers: 0)" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        return
    assert done.returncode == 0, done.stderr
    run_recipe(recipe, tmp_path / "usual", data)
    assert checkpoint_hashes(tmp_path / "small") == checkpoint_hashes(tmp_path / "usual")


SLOW = pytest.mark.slow


@pytest.mark.parametrize("number", [24, *(pytest.param(x, marks=SLOW) for x in (32, 40))])
def test_out_of_file_descriptors_it_ends(data: Path, tmp_path: Path, number: int) -> None:
    path = write_recipe(training(), tmp_path / "tiny.yaml")
    words = ("run", path, "--out", tmp_path / "run", "--data-root", data, "--device", "cpu")
    done = under(f"ulimit -n {number}", *words)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_pipe_among_the_images_is_told_and_not_waited_for(
    data: Path, tmp_path: Path, commands: Commands
) -> None:
    image = data / "rendered/images/train/000.png"
    image.unlink()
    os.mkfifo(image)
    path = write_recipe(training(), tmp_path / "tiny.yaml")
    words = ("--data-root", data)
    for verb in (("check", path), ("run", path, "--out", tmp_path / "run", "--device", "cpu")):
        command = commands.call(*verb, *words)
        assert command.exit_code == 0, command.stderr()
        assert "a pipe, socket or device" in command.stdout()
