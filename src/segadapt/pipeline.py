"""A run: a folder per stage; finished stages are skipped, a killed one goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import segadapt
from segadapt.artefacts import OUTPUTS, write_json
from segadapt.config import Recipe
from segadapt.engine.fabric import Processes, check_device, launch
from segadapt.engine.state import STATE_FILE
from segadapt.errors import SegadaptError
from segadapt.origins import Origin, find_origins, with_dependents
from segadapt.provenance import write_provenance
from segadapt.recipe import load_recipe
from segadapt.stages import (
    class_prior,
    convert,
    draw,
    evaluate,
    pixel_split,
    pseudo_label,
    rank,
    select,
    train,
    train_translator,
    translate,
)
from segadapt.stages.context import StageContext
from segadapt.stages.preflight import preflight

STAGES = {
    "draw": draw.run,
    "convert": convert.run,
    "train_translator": train_translator.run,
    "translate": translate.run,
    "class_prior": class_prior.run,
    "train": train.run,
    "select": select.run,
    "rank": rank.run,
    "pseudo_label": pseudo_label.run,
    "pixel_split": pixel_split.run,
    "evaluate": evaluate.run,
}
MANIFEST = "manifest.json"
STARTED = "started.json"


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
    overrides = list(overrides)
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
    again = with_dependents(context, redo) if redo is not None else set()
    with _Lock(directory), _disk_full_told(directory):
        origins = find_origins(context, precision)
        unfinished = [
            name
            for name in recipe.stages
            if name in again or not _is_finished(context, name, origins[name])
        ]
        preflight(context, unfinished, devices)
        for name in again:
            shutil.rmtree(context.stage_directory(name), ignore_errors=True)
        write_provenance(context, overrides, device, devices, precision)
        if unfinished:
            launch(_run_stages, (context, origins, precision), device, devices, precision)
        from segadapt.report import build_report

        build_report(directory)
    return directory


def _run_stages(
    processes: Processes, context: StageContext, origins: dict[str, Origin], precision: str
) -> None:
    for name, config in context.recipe.stages.items():
        origin = origins[name]
        if _is_finished(context, name, origin):
            if processes.is_first:
                print(f"{name}: finished before, skipped", flush=True)
            continue
        directory = context.stage_directory(name)
        if processes.is_first:
            if _is_begun_otherwise(directory, origin):
                shutil.rmtree(directory)
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


def _is_finished(context: StageContext, name: str, origin: Origin) -> bool:
    """Whether a stage's results are there; raises where they come from other settings."""
    directory = context.stage_directory(name)
    for file in (MANIFEST, STARTED):
        try:
            found = json.loads((directory / file).read_text())
        except (OSError, ValueError):
            continue
        if file == STARTED and _is_begun_otherwise(directory, origin):
            return False
        if found.get("fingerprint") != origin.fingerprint:
            raise SegadaptError(
                f"{directory}: stage {name!r} was run with other settings, data, seed or "
                f"precision; name another folder with --out, or do it again with --redo {name}"
            )
        return file == MANIFEST
    return False


def _is_begun_otherwise(directory: Path, origin: Origin) -> bool:
    """Whether a stage was begun with other settings or data and has nothing saved to lose.

    A file that was mended after it stopped the stage is the usual cause.
    """
    if (directory / MANIFEST).is_file() or (directory / STATE_FILE).is_file():
        return False
    try:
        begun = json.loads((directory / STARTED).read_text())
    except (OSError, ValueError):
        return False
    return bool(begun.get("fingerprint") != origin.fingerprint)


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
