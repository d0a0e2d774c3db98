"""A run: a directory with one folder per stage; finished stages are skipped, a killed one goes on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
import yaml

import segadapt
from segadapt.artefacts import OUTPUTS, write_json
from segadapt.config import Recipe, StageConfig
from segadapt.engine.fabric import Processes, check_device, launch, pick_device
from segadapt.errors import SegadaptError
from segadapt.recipe import load_recipe
from segadapt.stages import draw, evaluate, pseudo_label, rank, train
from segadapt.stages.context import StageContext
from segadapt.stages.preflight import preflight

STAGES = {
    "draw": draw.run,
    "train": train.run,
    "rank": rank.run,
    "pseudo_label": pseudo_label.run,
    "evaluate": evaluate.run,
}
MANIFEST = "manifest.json"
STARTED = "started.json"
# Settings that change how a stage runs but not what it computes.
WITHOUT_EFFECT = {"save_every", "log_every", "workers", "gallery", "pictures"}


def run(
    recipe: str | Recipe,
    out: str | Path | None = None,
    data_root: str | Path = ".",
    overrides: Iterable[str] = (),
    seed: int = 0,
    device: str = "auto",
    devices: int = 1,
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    redo: str | None = None,
) -> Path:
    """Run a recipe to its end and write the report.

    Args:
        recipe: a shipped recipe's name, a YAML file, or a validated recipe.
        out: the run's folder; ``runs/RECIPE-seedN`` where not given. An unfinished run there is
            continued, finished stages are skipped.
        data_root: the folder that datasets' folders are relative to.
        overrides: ``a.b=c`` assignments on the recipe.
        seed: seed of everything random.
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: number of processes, one device each.
        precision: ``32-true`` or ``bf16-mixed``.
        redo: a stage to do again, with all that depend on it.

    Returns:
        The run's folder; ``report.html`` lies in it.

    Raises:
        SegadaptError: bad input, found before any work wherever that is possible.
        Interrupted: SIGINT or SIGTERM came; the same call goes on from there.
    """
    if isinstance(recipe, str):
        recipe = load_recipe(recipe, overrides)
    if precision not in ("32-true", "bf16-mixed"):
        raise SegadaptError(f"--precision {precision}: choose 32-true or bf16-mixed")
    check_device(device, devices)
    directory = Path(out or f"runs/{recipe.name.replace('/', '-')}-seed{seed}").absolute()
    context = StageContext(recipe, directory, Path(data_root).expanduser().absolute(), seed)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegadaptError(f"--out {directory}: cannot be made ({error.strerror})") from error
    with _Lock(directory):
        if redo is not None:
            _forget(context, redo)
        unfinished = [n for n in recipe.stages if not _is_finished(context, n, precision)]
        preflight(context, unfinished, devices)
        _write_provenance(context, device, devices, precision)
        if unfinished:
            launch(_run_stages, (context, precision), device, devices, precision)
        from segadapt.report import build_report

        build_report(directory)
    return directory


def _run_stages(processes: Processes, context: StageContext, precision: str) -> None:
    for name, config in context.recipe.stages.items():
        if _is_finished(context, name, precision):
            if processes.is_first:
                print(f"{name}: finished before, skipped", flush=True)
            continue
        directory = context.stage_directory(name)
        fingerprint = _fingerprint(context, name, precision)
        if processes.is_first:
            directory.mkdir(parents=True, exist_ok=True)
            write_json(directory / STARTED, {"fingerprint": fingerprint})
        processes.barrier()
        start = time.monotonic()
        summary = STAGES[config.stage](name, config, context, directory, processes)  # type: ignore[operator]
        if processes.is_first:
            manifest = {
                "name": name,
                "stage": config.stage,
                "fingerprint": fingerprint,
                "seconds": round(time.monotonic() - start, 2),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seed": context.seed,
                "precision": precision,
                "processes": processes.count,
                "version": segadapt.__version__,
                "config": config.model_dump(mode="json"),
                "inputs": _inputs(context, config),
                "artefacts": OUTPUTS[config.stage],
                "summary": summary,
            }
            write_json(directory / MANIFEST, manifest)
            (directory / STARTED).unlink()
        processes.barrier()


def _is_finished(context: StageContext, name: str, precision: str) -> bool:
    """Whether a stage's results are there; raises where they come from other settings."""
    directory = context.stage_directory(name)
    for file in (MANIFEST, STARTED):
        try:
            found = json.loads((directory / file).read_text())
        except (OSError, ValueError):
            continue
        if found.get("fingerprint") != _fingerprint(context, name, precision):
            raise SegadaptError(
                f"{directory}: stage {name!r} was run with other settings, data, seed or "
                f"precision; name another folder with --out, or do it again with --redo {name}"
            )
        return file == MANIFEST
    return False


def _fingerprint(context: StageContext, name: str, precision: str) -> str:
    """Changes when anything changes that the stage's result depends on."""
    config = context.recipe.stages[name]
    content = {
        "config": config.model_dump(mode="json", exclude=WITHOUT_EFFECT),
        "inputs": _inputs(context, config),
        "stages": {
            other: _fingerprint(context, other, precision) for other in _needs(context, name)
        },
        "seed": context.seed,
        "precision": precision,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _references(config: StageConfig) -> list[str]:
    values = config.model_dump()
    names = ("source", "target", "start_from", "checkpoint", "images", "domain")
    found = [values[n] for n in names if values.get(n) is not None]
    return found + list(values.get("checkpoints", []))


def _needs(context: StageContext, name: str) -> list[str]:
    """Earlier stages whose results stage ``name`` reads."""
    needed = []
    for reference in _references(context.recipe.stages[name]):
        if reference in context.recipe.domains:
            maker = context.recipe.domains[reference].drawn_by
            needed += [maker] if maker is not None else []
        else:
            needed.append(reference.partition(".")[0])
    return sorted(set(needed))


def _inputs(context: StageContext, config: StageConfig) -> dict[str, Any]:
    """What a stage reads from outside the run, by name: domains' settings and image listings."""
    inputs: dict[str, Any] = {}
    for reference in _references(config):
        if reference in context.recipe.domains:
            domain = context.recipe.domains[reference]
            entry: dict[str, Any] = {"config": domain.model_dump(mode="json")}
            if domain.drawn_by is None:
                opened = context.domain(reference, labelled=False)
                listing = [(s.name, s.image.stat().st_size) for s in opened.samples]
                entry["images"] = len(listing)
                entry["listing_sha256"] = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
            inputs[reference] = entry
    weights = getattr(getattr(config, "model", None), "weights", None)
    if weights not in (None, "none", "torchvision"):
        path = context.data_root / Path(weights).expanduser()
        if path.is_file():
            with path.open("rb") as file:
                inputs["weights_sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return inputs


def _forget(context: StageContext, redo: str) -> None:
    """Remove a stage's folder and those of all stages that depend on it."""
    if redo not in context.recipe.stages:
        raise SegadaptError(
            f"--redo {redo}: is no stage of this recipe; there are "
            f"{', '.join(context.recipe.stages)}"
        )
    gone = {redo}
    for name in context.recipe.stages:
        if name in gone or gone & set(_needs(context, name)):
            gone.add(name)
            shutil.rmtree(context.stage_directory(name), ignore_errors=True)


def _write_provenance(
    context: StageContext, device: str, devices: int, precision: str
) -> None:
    """``recipe.yaml`` and ``run.json``: all that is needed to do it again."""
    recipe = context.recipe
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (context.directory / "recipe.yaml").write_text(text)
    name = pick_device(device)
    if name == "cuda":
        name = f"cuda: {torch.cuda.get_device_name()}"
    path = context.directory / "run.json"
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if path.is_file():
        try:
            started = json.loads(path.read_text())["started"]
        except (ValueError, KeyError):
            pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    write_json(
        path,
        {
            "recipe": recipe.name,
            "description": recipe.description,
            "seed": context.seed,
            "command": shlex.join(["segadapt", *sys.argv[1:]])
            if Path(sys.argv[0]).name == "segadapt"
            else f"segadapt.run({recipe.name!r}, seed={context.seed})",
            "version": segadapt.__version__,
            "started": started,
            "hardware": {
                "cpu": _cpu_name(),
                "cores": os.cpu_count(),
                "device": name,
                "memory_gib": round(memory, 1),
            },
            "precision": precision,
            "processes": devices,
            "libraries": {
                "python": platform.python_version(),
                **{n: version(n) for n in ("torch", "torchvision", "lightning-fabric", "numpy")},
            },
        },
    )


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class _Lock:
    """Keeps two commands from working in one run directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / ".lock"

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SegadaptError(
                f"{self._path.parent}: another segadapt command is at work in this folder; wait "
                "for it, or name another folder with --out"
            ) from error

    def __exit__(self, *error: object) -> None:
        self._file.close()
