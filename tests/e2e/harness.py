"""Tiny data, tiny recipes and commands in processes of their own, for tests of whole runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

import segadapt
from segadapt.base.classes import CAMVID_11
from segadapt.config.load import validate

HEIGHT, WIDTH = 64, 96
VOID = 11
SKY, BUILDING, ROAD, TREE, CAR = 0, 1, 3, 5, 8


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Sums must not depend on how many cores the machine has, nor on who else works on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Data ------------------------------------------------------------------------------------------


def street(
    seed: int, size: tuple[int, int] = (HEIGHT, WIDTH), tint: int = 0, void: float = 0.1
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A street of five flat classes: RGB, and ids of which a ``void`` part is to be ignored."""
    rng = np.random.default_rng(seed)
    height, width = size
    label = np.full(size, SKY, np.uint8)
    label[height // 3 : height // 2, : rng.integers(width // 4, width)] = BUILDING
    label[height // 4 : height // 2, -rng.integers(8, width // 3) :] = TREE
    label[height // 2 :] = ROAD
    left = rng.integers(0, width // 2)
    label[height // 2 : height // 2 + 12, left : left + rng.integers(10, 40)] = CAR
    colours = np.array(CAMVID_11.colours, np.int16)[label] + tint
    noise = rng.integers(-20, 20, (height, width, 3))
    image = np.clip(colours + noise, 0, 255).astype(np.uint8)
    label[: round(void * height)] = VOID
    return image, label


def write_camvid(
    root: Path, split: str, seeds: Iterable[int], labelled: bool = True, **street_settings: Any
) -> Path:
    """Write streets in CamVid's layout; ``street`` takes the settings. Returns ``root``."""
    for i, seed in enumerate(seeds):
        image, label = street(seed, **street_settings)
        save(image, root / "images" / split / f"{i:03d}.png")
        if labelled:
            save(label, root / "labels" / split / f"{i:03d}.png")
    return root


def save(pixels: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data root: ``rendered`` (6 of train), ``camvid`` (5 of train without labels, 3 of val)."""
    return write_data(tmp_path / "data")


def write_data(root: Path, target_labels: bool = False) -> Path:
    write_camvid(root / "rendered", "train", range(6))
    write_camvid(root / "camvid", "train", range(20, 25), labelled=target_labels, tint=30)
    write_camvid(root / "camvid", "val", range(40, 43), tint=30)
    return root


# Recipes ---------------------------------------------------------------------------------------


def domains(**changed: dict[str, Any]) -> dict[str, Any]:
    """The domains of :func:`write_data`; keywords lay settings over them by domain."""
    size = [HEIGHT, WIDTH]
    common = {"dataset": "camvid", "size": size}
    own: dict[str, dict[str, Any]] = {
        "source": {**common, "root": "rendered", "split": "train", "role": "source"},
        "target": {**common, "split": "train", "role": "target"},
        "test": {**common, "split": "val", "role": "test"},
    }
    return {name: own.get(name, common) | changed.get(name, {}) for name in {**own, **changed}}


def small_domains() -> dict[str, Any]:
    """The same at half of the sides, for tests of many runs whose pictures do not matter."""
    size = {"size": [HEIGHT // 2, WIDTH // 2]}
    return domains(source=size, target=size, test=size)


def train(method: str | dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A train stage of 4 iterations that takes a second."""
    if method in ("advent", "adaptsegnet"):
        method = {"name": method, "discriminator_width": 4}
    return {
        "stage": "train",
        "method": method,
        "source": "source",
        **({"target": "target"} if method != "source_only" else {}),
        "model": {"backbone": "squeezenet1_0", "weights": "none"},
        "iterations": 4,
        "batch_size": 2,
        "workers": 0,
        "log_every": 1,
        "save_every": 2,
        "flip": True,
        "optimizer": {"name": "adamw", "lr": 1e-4},
        **settings,
    }


def recipe_of(
    stages: dict[str, dict[str, Any]], domains_: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"name": "tiny", "domains": domains_ or domains(), "stages": stages}


def run_recipe(recipe: dict[str, Any], out: Path, data_root: Path, **arguments: Any) -> Path:
    """``segadapt.run`` on the CPU, in this process."""
    return segadapt.run(
        validate(recipe, "tiny"), out=out, data_root=data_root, device="cpu", **arguments
    )


def write_recipe(recipe: dict[str, Any], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


# Results ---------------------------------------------------------------------------------------


def read_metrics(stage_directory: Path) -> list[dict[str, Any]]:
    lines = (stage_directory / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def checkpoint_hashes(run: Path) -> dict[str, str]:
    """Hash of every checkpoint of a run, by stage folder."""
    return {
        path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.glob("*/checkpoint.safetensors"))
    }


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of last change of every file below ``folder`` but its lock."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


# Commands --------------------------------------------------------------------------------------


@dataclass
class Command:
    """A ``segadapt`` command at work in a process of its own."""

    pid: int
    errors: Path
    output: Path
    wait_for: Callable[[int], int]
    exit_code: int | None = None

    def wait(self) -> int:
        """Exit code as a shell's ``$?`` knows it; 128 + N after signal N."""
        if self.exit_code is None:
            self.exit_code = self.wait_for(self.pid)
        return self.exit_code

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stderr(self) -> str:
        return self.errors.read_text()

    def stdout(self) -> str:
        return self.output.read_text()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Return as soon as ``condition`` holds; fails if the command ends before it does."""
        end = time.monotonic() + seconds
        while not condition():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 0)
                assert time.monotonic() < end, f"not within {seconds} s: {self.stderr()}"
                time.sleep(0.0005)
                continue
            pytest.fail(f"the command ended too early: {self.stdout()}{self.stderr()}")


class Commands:
    """Starts commands as forks of a process that has done the slow imports."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("command_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            text=True,
        )

    def start(self, *arguments: object) -> Command:
        """Start ``segadapt ARGUMENTS``."""
        self._number += 1
        output = self._folder / f"{self._number}.out"
        errors = self._folder / f"{self._number}.err"
        words = [str(x) for x in arguments]
        pid = self._ask({"start": words, "output": str(output), "errors": str(errors)})
        return Command(pid, errors, output, lambda pid: self._ask({"wait": pid}))

    def call(self, *arguments: object) -> Command:
        """Run ``segadapt ARGUMENTS`` to its end."""
        command = self.start(*arguments)
        command.wait()
        return command

    def close(self) -> None:
        assert self._server.stdin is not None
        # Closing the pipe would not do: processes forked meanwhile may hold it too.
        self._server.stdin.write(json.dumps({"stop": True}) + "\n")
        self._server.stdin.flush()
        self._server.wait()

    def _ask(self, question: dict[str, Any]) -> int:
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    server = Commands(tmp_path_factory.mktemp("commands"))
    yield server
    server.close()


def children(pid: int) -> list[int]:
    """Process numbers of all children of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in tasks for child in path.read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs: one that has ended may wait for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
