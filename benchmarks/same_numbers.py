"""Whether a rebuild moved a number: every light recipe in small, as digests of all that it leaves.

Each recipe runs with a few iterations a stage on small images, once with one process and once with
two, through the command line alone, so that nothing here knows how the package is built. For every
stage it writes a digest of each checkpoint's tensors, label set, split, translation, of the logged
losses, and of the report's scores.

    python benchmarks/same_numbers.py --data-root DATA --record    # before the first move
    python benchmarks/same_numbers.py --data-root DATA             # after the last one

Digests are those of one kind of processor and one version of torch: record and compare on one
machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors import safe_open
from same_numbers_names import first_name

RECORD = Path(__file__).with_name("same_numbers.json")
NETWORKS = Path(__file__).with_name("same_numbers_networks.yaml")
RECIPES = (
    "demo",
    "demo_cirn",
    *(f"idd-camvid/{name}" for name in ("advent_rows", "cirn", "intrada", "intrada_ablation")),
    *(f"idd-camvid/{name}" for name in ("pixintrada", "pixintrada_proportions")),
    "scenes-camvid/intrada",
    *(f"digits/{pair}/light_intrada" for pair in ("mnist-usps", "usps-mnist")),
    *(f"digits/{pair}/intrada_plus" for pair in ("mnist-usps", "usps-mnist")),
    str(NETWORKS),
)
PROCESSES = (1, 2)
SIZE = [64, 96]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--record", action="store_true", help="write the record, do not compare")
    parser.add_argument("--only", help="recipes whose name holds this")
    parser.add_argument("--keep", type=Path, help="keep the runs in this folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs side by side")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        jobs = [
            (name, count, folder, arguments.data_root.absolute())
            for name in RECIPES
            if arguments.only is None or arguments.only in name
            for count in PROCESSES
        ]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            found = dict(pool.map(lambda job: digests(*job), jobs))
    print(f"{len(found)} runs in {time.monotonic() - start:.0f} s")
    if arguments.record:
        if arguments.only is not None:  # the others stay as they were recorded
            found = {**json.loads(RECORD.read_text())["runs"], **found}
        RECORD.write_text(json.dumps({"machine": machine(), "runs": found}, indent=1) + "\n")
        print(f"written to {RECORD}")
        return
    recorded = json.loads(RECORD.read_text())
    if recorded["machine"] != machine():
        print(f"recorded on {recorded['machine']}, this is {machine()}: digests may differ for it")
    sys.exit(compare(recorded["runs"], found))


def machine() -> dict[str, str]:
    """What digests depend on beside the code."""
    model = [
        x for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")
    ]
    name = model[0].partition(":")[2].strip() if model else platform.machine()
    return {"cpu": name, "torch": version("torch"), "numpy": version("numpy")}


def compare(recorded: dict[str, Any], found: dict[str, Any]) -> int:
    """Print what differs; the exit code."""
    different = stages = 0
    for run, after in found.items():
        before = recorded.get(run, {})
        for stage in dict.fromkeys([*before, *after]):
            stages += 1
            if before.get(stage) != after.get(stage):
                different += 1
                print(f"{run}: {stage}: {before.get(stage)} was recorded, now {after.get(stage)}")
    print(f"{stages - different} of {stages} stages are as recorded")
    return int(different > 0)


# Runs ------------------------------------------------------------------------------------------


def digests(
    name: str, processes: int, folder: Path, data_root: Path
) -> tuple[str, dict[str, dict[str, str]]]:
    """Run a recipe in small; digests by stage and by what it left."""
    title = f"{Path(name).stem if name.endswith('.yaml') else name} x{processes}"
    place = folder / title.replace("/", "-").replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    recipe = place / "recipe.yaml"
    recipe.write_text(
        yaml.safe_dump(small(yaml.safe_load(segadapt("show", name))), sort_keys=False)
    )
    run = place / "run"
    segadapt(
        *("run", recipe, "--out", run, "--data-root", data_root, "--device", "cpu"),
        *("--devices", processes),
    )
    found = {
        stage.name.partition("-")[2]: of_stage(stage)
        for stage in sorted(run.glob("*-*"), key=lambda path: int(path.name.split("-")[0]))
        if stage.is_dir()
    }
    print(f"{title}: {len(found)} stages", flush=True)
    return title, found


def segadapt(*words: object) -> str:
    """What a command prints; a failing one ends all."""
    command = [sys.executable, "-m", "segadapt.cli", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def small(raw: dict[str, Any]) -> dict[str, Any]:
    """The recipe with few and small images and three iterations."""
    digits = any(domain["dataset"] == "mnist" for domain in raw["domains"].values())
    for domain in raw["domains"].values():
        domain["limit"] = 40 if digits else 6
        if domain["size"] is not None and not digits:
            domain["size"] = SIZE
    for stage in raw["stages"].values():
        smaller = SMALLER.get(stage["stage"], {})
        stage |= {key: value for key, value in smaller.items() if stage.get(key) != 0}
        if digits and "batch_size" in stage:
            stage["batch_size"] = 8
        if "workers" in stage:
            stage["workers"] = 0
        if stage["stage"] == "draw":
            stage["counts"] = dict.fromkeys(stage["counts"], 6)
        if stage.get("crop"):
            stage["crop"] = [32, 32]
    return raw


SMALLER: dict[str, dict[str, Any]] = {
    "train": {"iterations": 3, "batch_size": 2, "log_every": 1, "save_every": 2, "snapshots": 2},
    "train_translator": {
        "iterations": 3,
        "batch_size": 2,
        "log_every": 1,
        "generator": {"width": 4, "blocks": 1},
        "discriminator_width": 4,
        "sheets": 1,
    },
    "draw": {"size": SIZE},
    "rank": {"gallery": 1},
    "evaluate": {"pictures": 1},
}


# Digests ---------------------------------------------------------------------------------------


def of_stage(directory: Path) -> dict[str, str]:
    """A digest for each kind of thing that a stage left."""
    kinds: dict[str, tuple[str, Callable[[Path], bytes]]] = {
        "checkpoint": ("checkpoint.safetensors", tensors),
        "snapshots": ("snapshots/*.safetensors", tensors),
        "translator": ("translator.safetensors", tensors),
        "labels": ("labels/**/*.png", Path.read_bytes),
        "domain_index": ("domain_index/**/*.png", Path.read_bytes),
        "images": ("images/**/*.jpg", Path.read_bytes),
        "scenes": ("scenes/**/*.png", Path.read_bytes),
        "features": ("features/*.npz", arrays),
        "losses": ("metrics.jsonl", losses),
        "scores": ("report.json", scores),
        **{
            name: (f"{name}.json", Path.read_bytes)
            for name in ("split", "pixel_split", "selection", "class_prior")
        },
    }
    found = {}
    for kind, (pattern, read) in kinds.items():
        files = sorted(path for path in directory.glob(pattern) if path.is_file())
        if files:
            found[kind] = digest(read(file) for file in files)
    return found


def digest(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:16]


def tensors(path: Path) -> bytes:
    """Names, as they were when this was first recorded, shapes and numbers."""
    with safe_open(path, framework="numpy") as file:
        found = {first_name(key): file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    parts = []
    for name in sorted(found):
        array = np.ascontiguousarray(found[name])
        parts.append(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return b"".join(parts)


def arrays(path: Path) -> bytes:
    with np.load(path) as file:
        return b"".join(key.encode() + file[key].tobytes() for key in sorted(file.files))


def losses(path: Path) -> bytes:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows]
    return json.dumps(kept, sort_keys=True).encode()


def scores(path: Path) -> bytes:
    report = json.loads(path.read_text())
    rows = [{k: row[k] for k in ("checkpoint", "confusion", "iou")} for row in report["scores"]]
    return json.dumps([rows, report["selections"]], sort_keys=True).encode()


if __name__ == "__main__":
    main()
