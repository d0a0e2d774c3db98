"""A run: a folder per stage; finished stages are skipped, a killed one goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
    again = _with_dependents(context, redo) if redo is not None else set()
    with _Lock(directory), _disk_full_told(directory):
        origins = _origins(context, precision)
        unfinished = [
            name
            for name in recipe.stages
            if name in again or not _is_finished(context, name, origins[name])
        ]
        preflight(context, unfinished, devices)
        for name in again:
            shutil.rmtree(context.stage_directory(name), ignore_errors=True)
        _write_provenance(context, device, devices, precision)
        if unfinished:
            launch(_run_stages, (context, origins, precision), device, devices, precision)
        from segadapt.report import build_report

        build_report(directory)
    return directory


def _run_stages(
    processes: Processes, context: StageContext, origins: dict[str, _Origin], precision: str
) -> None:
    for name, config in context.recipe.stages.items():
        origin = origins[name]
        if _is_finished(context, name, origin):
            if processes.is_first:
                print(f"{name}: finished before, skipped", flush=True)
            continue
        directory = context.stage_directory(name)
        if processes.is_first:
            directory.mkdir(parents=True, exist_ok=True)
            write_json(directory / STARTED, {"fingerprint": origin.fingerprint})
        processes.barrier()
        start = time.monotonic()
        summary = STAGES[config.stage](name, config, context, directory, processes)  # type: ignore[operator]
        if processes.is_first:
            manifest = {
                "name": name,
                "stage": config.stage,
                "fingerprint": origin.fingerprint,
                "seconds": round(time.monotonic() - start, 2),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seed": context.seed,
                "precision": precision,
                "processes": processes.count,
                "version": segadapt.__version__,
                "config": config.model_dump(mode="json"),
                "inputs": origin.inputs,
                "artefacts": OUTPUTS[config.stage],
                "summary": summary,
            }
            write_json(directory / MANIFEST, manifest)
            (directory / STARTED).unlink()
        processes.barrier()


def _is_finished(context: StageContext, name: str, origin: _Origin) -> bool:
    """Whether a stage's results are there; raises where they come from other settings."""
    directory = context.stage_directory(name)
    for file in (MANIFEST, STARTED):
        try:
            found = json.loads((directory / file).read_text())
        except (OSError, ValueError):
            continue
        if found.get("fingerprint") != origin.fingerprint:
            raise SegadaptError(
                f"{directory}: stage {name!r} was run with other settings, data, seed or "
                f"precision; name another folder with --out, or do it again with --redo {name}"
            )
        return file == MANIFEST
    return False


class _Origin(NamedTuple):
    """What a stage's result comes from."""

    inputs: dict[str, Any]
    """What it reads from outside the run, by name."""
    fingerprint: str
    """Changes when anything changes that the result depends on."""


def _origins(context: StageContext, precision: str) -> dict[str, _Origin]:
    """The origin of every stage; every domain is listed once."""
    domains: dict[str, Any] = {}
    origins: dict[str, _Origin] = {}
    for name, config in context.recipe.stages.items():
        inputs = _inputs(context, config, domains)
        content = {
            "config": config.model_dump(mode="json", exclude=WITHOUT_EFFECT),
            "inputs": inputs,
            "stages": {other: origins[other].fingerprint for other in _needs(context, name)},
            "seed": context.seed,
            "precision": precision,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        origins[name] = _Origin(inputs, digest)
    return origins


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


def _inputs(context: StageContext, config: StageConfig, domains: dict[str, Any]) -> dict[str, Any]:
    """What a stage reads from outside the run; ``domains`` keeps those that were listed."""
    inputs: dict[str, Any] = {}
    for reference in _references(config):
        if reference in context.recipe.domains:
            if reference not in domains:
                domains[reference] = _domain_input(context, reference)
            inputs[reference] = domains[reference]
    weights = getattr(getattr(config, "model", None), "weights", None)
    if weights not in (None, "none", "torchvision"):
        path = context.data_root / Path(weights).expanduser()
        if path.is_file():
            with path.open("rb") as file:
                inputs["weights_sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return inputs


def _domain_input(context: StageContext, reference: str) -> dict[str, Any]:
    """Settings, classes and image listing of a domain."""
    config = context.recipe.domains[reference]
    entry: dict[str, Any] = {"config": config.model_dump(mode="json")}
    if config.drawn_by is None:
        domain = context.domain(reference, labelled=False)
        listing = [(sample.name, sample.image.stat().st_size) for sample in domain.samples]
        entry["images"] = len(listing)
        entry["listing_sha256"] = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
        entry["classes"] = domain.classes.names
        entry["ids"] = sorted(domain.class_map.ids.items())
    return entry


def _with_dependents(context: StageContext, redo: str) -> set[str]:
    """A stage and all those that depend on its result."""
    if redo not in context.recipe.stages:
        raise SegadaptError(
            f"--redo {redo}: is no stage of this recipe; there are "
            f"{', '.join(context.recipe.stages)}"
        )
    found = {redo}
    for name in context.recipe.stages:
        if found & set(_needs(context, name)):
            found.add(name)
    return found


def _write_provenance(context: StageContext, device: str, devices: int, precision: str) -> None:
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
        with contextlib.suppress(ValueError, KeyError):
            started = json.loads(path.read_text())["started"]
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


@contextlib.contextmanager
def _disk_full_told(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SegadaptError(
            f"{error.filename or directory}: cannot be written ({error.strerror}); free some disk "
            "space and give the same command again, it goes on from the last saved state"
        ) from error


class _Lock:
    """Keeps two commands from working in one run directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / ".lock"

    def __enter__(self) -> None:
        try:
            self._file = self._path.open("w")
        except OSError as error:
            raise SegadaptError(f"{self._path}: cannot be written ({error.strerror})") from error
        try:
            # Not flock(): processes that decode images would inherit that, and hold it for some
            # seconds after this process was killed.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SegadaptError(
                f"{self._path.parent}: another segadapt command is at work in this folder; wait "
                "for it, or name another folder with --out"
            ) from error

    def __exit__(self, *error: object) -> None:
        self._file.close()
