"""What a killed run leaves in shared memory is cleared by the next, and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segadapt.engine import semaphores


def test_those_of_dead_processes_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = tmp_path / f"sem.segadapt-{ended.pid}-abc"
    kept = [
        tmp_path / f"sem.segadapt-{os.getpid()}-abc",
        tmp_path / "sem.segadapt-x-abc",
        tmp_path / f"sem.mp-{ended.pid}",
        tmp_path / "torch_1_2",
    ]
    for path in (gone, *kept):
        path.write_bytes(b"")
    monkeypatch.setattr(semaphores, "SHARED", tmp_path)
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    monkeypatch.setitem(settings, "semprefix", settings["semprefix"])
    semaphores.own_semaphores()
    assert not gone.exists() and all(path.exists() for path in kept)
    assert settings["semprefix"] == f"/segadapt-{os.getpid()}"
