"""What is measured, and on what."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks.measuring.record import Commit, Machine
from segadapt.runs.provenance import cpu_name

ROOT = Path(__file__).parents[2]
LIBRARIES = ("torch", "torchvision", "lightning-fabric", "numpy", "pillow", "onnxruntime")


def machine(device: str) -> Machine:
    """This one."""
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    cores = os.cpu_count() or 1
    return Machine(cpu=cpu_name(), cores=cores, threads=torch.get_num_threads(), gpu=gpu)


def versions() -> dict[str, str]:
    """Of Python and of the libraries whose speed counts; those that are not there are left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> Commit:
    """The commit of this checkout; ``unknown`` where it is none."""
    try:
        name, date = _git("log", "-1", "--format=%H %cI").split()
        changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return Commit(name="unknown", date=now(), changed=False)
    utc = datetime.fromisoformat(date).astimezone(UTC).isoformat(timespec="seconds")
    return Commit(name=name[:9], date=utc, changed=changed)


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load() -> float:
    """Processes that wanted to compute in the last minute."""
    return round(os.getloadavg()[0], 1)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
