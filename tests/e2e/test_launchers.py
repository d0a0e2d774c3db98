"""Runs by processes that torchrun or SLURM has started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import read_metrics, recipe_of, run_recipe, train, write_data, write_recipe
from safetensors.numpy import load_file

from segadapt.artefacts import read_json
from segadapt.base.errors import SegadaptError
from segadapt.engine.launcher import Launched, launched, require_alike

# A rate that keeps rounding errors from growing; weights move by more than a hundred times 1e-6.
STEP = {"iterations": 4, "batch_size": 4, "optimizer": {"name": "sgd", "lr": 2e-6}}


def stages(**settings: Any) -> dict[str, dict[str, Any]]:
    return {
        "minent": train("minent", **{**STEP, **settings}),
        "rank": {"stage": "rank", "checkpoint": "minent.checkpoint", "images": "target"},
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def torchrun(
    recipe: Path, out: Path, data: Path, *options: str, words: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    run = ["run", recipe, "--out", out, "--data-root", data, "--device", "cpu", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *options, "-m", "segadapt", *map(str, run)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def on_one_node(port: int) -> tuple[str, ...]:
    return ("--nproc_per_node=2", f"--master_port={port}")


def assert_same_weights(run: Path, expected: Path) -> None:
    one, other = (load_file(r / "1-minent" / "checkpoint.safetensors") for r in (run, expected))
    for key, value in other.items():
        np.testing.assert_allclose(one[key], value, rtol=0, atol=1e-6, err_msg=key)


def test_two_processes_of_torchrun_give_what_one_gives(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    expected = run_recipe(recipe_of(stages()), tmp_path / "one", data)
    file = write_recipe(recipe_of(stages()), tmp_path / "recipe.yaml")
    done = torchrun(file, tmp_path / "node", data, *on_one_node(free_port()))
    said, errors = done.communicate(timeout=200)
    assert done.returncode == 0, errors
    assert said.count("report: ") == 1 and said.count("minent: 4/4") == 1
    assert_same_weights(tmp_path / "node", expected)
    ranked = [read_json(r / "2-rank/split.json")["images"] for r in (tmp_path / "node", expected)]
    assert [x["name"] for x in ranked[0]] == [x["name"] for x in ranked[1]]


@pytest.mark.slow
def test_processes_of_torchrun_that_share_weights_give_what_one_gives(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    vit = {"backbone": "timm:test_vit", "weights": "none", "heads": "linear"}
    sgd = {"name": "sgd", "lr": 1e-3}
    data = write_data(tmp_path / "data")
    whole, shared = (stages(model=vit, optimizer=sgd, shard=shard) for shard in (False, True))
    expected = run_recipe(recipe_of(whole), tmp_path / "one", data)
    file = write_recipe(recipe_of(shared), tmp_path / "recipe.yaml")
    done = torchrun(file, tmp_path / "node", data, *on_one_node(free_port()))
    _, errors = done.communicate(timeout=200)
    assert done.returncode == 0, errors
    assert_same_weights(tmp_path / "node", expected)


@pytest.mark.slow
def test_a_batch_that_torchruns_processes_cannot_share_is_refused(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    file = write_recipe(recipe_of(stages(batch_size=3)), tmp_path / "recipe.yaml")
    done = torchrun(file, tmp_path / "run", data, *on_one_node(free_port()))
    _, errors = done.communicate(timeout=100)
    assert done.returncode != 0
    assert "stages.minent.batch_size: 3 images cannot be shared by 2 processes" in errors


@pytest.mark.slow
def test_two_nodes_give_what_one_gives(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    expected = run_recipe(recipe_of(stages()), tmp_path / "one", data)
    file = write_recipe(recipe_of(stages()), tmp_path / "recipe.yaml")
    port = free_port()
    nodes = [
        torchrun(
            *(file, tmp_path / "nodes", data, "--nnodes=2", "--nproc_per_node=1"),
            *(f"--node_rank={rank}", "--master_addr=127.0.0.1", f"--master_port={port}"),
        )
        for rank in (0, 1)
    ]
    for node in nodes:
        _, errors = node.communicate(timeout=200)
        assert node.returncode == 0, errors
    assert_same_weights(tmp_path / "nodes", expected)


@pytest.mark.slow
def test_what_the_first_finds_wrong_all_tell(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    for path in (data / "camvid" / "images" / "train").iterdir():
        path.unlink()
    file = write_recipe(recipe_of(stages()), tmp_path / "recipe.yaml")
    done = torchrun(file, tmp_path / "run", data, *on_one_node(free_port()))
    _, errors = done.communicate(timeout=100)
    assert done.returncode != 0
    told = [line for line in errors.splitlines() if line.startswith("segadapt: ")]
    assert len(told) == 2 and len(set(told)) == 1 and "target" in told[0]


@pytest.mark.slow
def test_killed_one_ends_the_others_and_the_same_command_goes_on(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    settings = {"iterations": 60, "save_every": 1}
    file = write_recipe(recipe_of(stages(**settings)), tmp_path / "recipe.yaml")
    out = tmp_path / "run"
    command = torchrun(file, out, data, *on_one_node(free_port()))
    end = time.monotonic() + 100
    while not (out / "1-minent" / "state.pt").is_file() or len(read_metrics(out / "1-minent")) < 3:
        assert time.monotonic() < end and command.poll() is None
        time.sleep(0.01)
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(command.pid)], capture_output=True, text=True
    ).stdout.split()
    os.kill(int(children[-1]), signal.SIGKILL)
    started = time.monotonic()
    command.communicate(timeout=60)
    assert time.monotonic() - started < 30 and command.returncode != 0
    assert len(read_metrics(out / "1-minent")) < 60
    again = torchrun(file, out, data, *on_one_node(free_port()))
    _, errors = again.communicate(timeout=200)
    assert again.returncode == 0, errors
    rows = read_metrics(out / "1-minent")
    assert [row["iteration"] for row in rows] == list(range(1, 61))


def slurm(**changed: str) -> dict[str, str]:
    told = {
        "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_PROCID": "5",
        "SLURM_STEP_NUM_NODES": "2",
        "SLURM_JOB_NAME": "adapt",
    }
    return told | changed


def test_launchers_are_told_by_what_they_set() -> None:
    assert launched({}) is None
    assert launched(slurm()) == Launched("SLURM", 8, 5, 2)
    assert launched(slurm(SLURM_STEP_NUM_TASKS="1", SLURM_STEP_NUM_NODES="1")) is None
    # A script of sbatch, which has not called srun, is alone, however many tasks it may have.
    assert launched({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}) is None
    torchrun_ = {
        "TORCHELASTIC_RUN_ID": "none",
        "WORLD_SIZE": "16",
        "RANK": "9",
        "LOCAL_WORLD_SIZE": "8",
    }
    assert launched(torchrun_) == Launched("torchrun", 16, 9, 2)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (slurm(SLURM_JOB_NAME="bash"), "--job-name"),
        (slurm(SLURM_STEP_NUM_NODES="3"), "as many as the others"),
        (slurm(SLURM_PROCID="x"), "not the numbers"),
        ({"TORCHELASTIC_RUN_ID": "none"}, "not the numbers"),
    ],
)
def test_what_cannot_be_is_told(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SegadaptError, match=message):
        launched(environment)


def test_the_launchers_numbers_hold() -> None:
    found = Launched("torchrun", 8, 0, 2)
    require_alike(found, 1)
    require_alike(found, 4)
    with pytest.raises(SegadaptError, match="has started 4 processes on each of 2 nodes"):
        require_alike(found, 8)
