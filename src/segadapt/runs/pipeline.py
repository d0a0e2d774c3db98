"""A run: a folder per stage; finished stages are skipped, a killed one goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import platform
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from segadapt.artefacts import FILES, write_json
from segadapt.base.compute import Compute, ComputeSettings
from segadapt.base.digests import OTHERS, changed, digests_of
from segadapt.base.errors import SegadaptError, printable, unforeseen
from segadapt.base.version import __version__
from segadapt.config.load import load_recipe
from segadapt.config.recipe import Recipe
from segadapt.config.stage import Stage
from segadapt.engine.device import check_compute
from segadapt.engine.fabric import Processes, join, launch
from segadapt.engine.launcher import launched, require_alike
from segadapt.engine.state import STATE_FILE
from segadapt.report.belonging import read_object
from segadapt.runs.origins import Origin, find_origins, with_dependents
from segadapt.runs.plan import print_plan
from segadapt.runs.provenance import write_provenance
from segadapt.runs.redo import forget, remove, to_remove
from segadapt.runs.results import print_results
from segadapt.runs.tracked import tracked_run
from segadapt.runs.unread import Unread
from segadapt.stages.caching import begin_caching
from segadapt.stages.context import StageContext, Work
from segadapt.stages.oddities import oddities
from segadapt.stages.preflight import preflight
from segadapt.tracking.choice import require_trackers
from segadapt.tracking.tracked import Tracked

MANIFEST = "manifest.json"
STARTED = "started.json"
FORMAT = 2
"""Of a run's folder; version 0.1 wrote none."""


def run(
    recipe: str | Recipe,
    out: str | Path | None = None,
    data_root: str | Path = ".",
    overrides: Iterable[str] = (),
    seed: int = 0,
    *,
    redo: str | None = None,
    track: Sequence[str] = (),
    cache_dir: str | Path | None = None,
    **compute: Unpack[ComputeSettings],
) -> Path:
    """Run a recipe to its end and write the report.

    Args:
        recipe: a shipped recipe's name, a YAML file, or a validated recipe.
        out: the run's folder; ``runs/RECIPE-seedN`` where not given. An unfinished run there is
            continued, finished stages are skipped.
        data_root: the folder that datasets' folders are relative to.
        overrides: ``a.b=c`` assignments on the recipe.
        seed: seed of everything random.
        redo: a stage to do again, with all that depend on it.
        track: trackers that follow the run: ``wandb``, ``trackio``, ``mlflow``, ``tensorboard``.
        cache_dir: where images of domains with ``cache`` are kept; the user's cache folder where
            not given.
        compute: ``device`` (``auto``, ``cpu`` or ``cuda``), ``devices`` (number of processes, one
            device each) and ``precision`` (``32-true`` or ``bf16-mixed``).

    Returns:
        The run's folder; ``report.html`` lies in it.

    Raises:
        SegadaptError: bad input, found before any work wherever that is possible.
        Interrupted: SIGINT or SIGTERM came; the same call goes on from there.
    """
    overrides = list(overrides)
    if isinstance(recipe, str):
        recipe = load_recipe(recipe, overrides)
    directory = Path(out or f"runs/{recipe.name.replace('/', '-')}-seed{seed}").absolute()
    root = Path(data_root).expanduser().absolute()
    cache = None if cache_dir is None else Path(cache_dir).expanduser().absolute()
    context = StageContext(recipe, directory, root, seed, Compute(**compute), tuple(track), cache)
    return run_in(context, overrides, redo)


def run_in(context: StageContext, overrides: Sequence[str] = (), redo: str | None = None) -> Path:
    """The same, where recipe, folders, seed and what is computed on are one value."""
    check_compute(context.compute)
    directory = context.directory
    require_trackers(context.track, directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegadaptError(f"--out {directory}: cannot be made ({error.strerror})") from error
    if redo is not None:
        with_dependents(context, redo)  # is there such a stage?
    others = launched()
    if others is not None:
        require_alike(others, context.compute.devices)
        processes = join(others, context.compute)
        # From here on the launcher's number is what checks see.
        context = replace(context, compute=replace(context.compute, devices=processes.count))
        return run_among(processes, context, overrides, redo)
    with _Lock(directory), _disk_full_told(directory):
        work = _prepared(context, overrides, redo)
        if work.unfinished or context.track:
            launch(_run_stages, (context, work.origins), context.compute)
        _finish(context)
    return directory


def run_among(
    processes: Processes, context: StageContext, overrides: Sequence[str], redo: str | None
) -> Path:
    """The same by processes that a launcher has started, on one machine or several.

    The first holds the lock, looks at data and recipe, and writes the report; what it finds wrong
    all of them tell. The run's folder must be on a disk that all of them see.
    """
    directory = context.directory
    if not processes.is_first:
        found = processes.gather(None)[0]
        if isinstance(found, SegadaptError):
            raise found
        if not (directory / "recipe.yaml").is_file():
            raise SegadaptError(
                f"--out {directory}: is not there on this machine ({platform.node()}); it must be "
                "on a disk that all machines share"
            )
        if found.unfinished or context.track:
            _run_stages(processes, context, found.origins)
        return directory
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_Lock(directory))
            stack.enter_context(_disk_full_told(directory))
            work = _prepared(context, overrides, redo)
        except Exception as error:
            known = isinstance(error, SegadaptError)
            processes.gather(error if known else SegadaptError(unforeseen(error)))
            raise
        processes.gather(work)
        if work.unfinished or context.track:
            _run_stages(processes, context, work.origins)
        _finish(context)
    return directory


class _Prepared(NamedTuple):
    """What is known of a run before its stages do their work."""

    origins: dict[str, Origin]
    unfinished: list[str]


def _prepared(context: StageContext, overrides: Sequence[str], redo: str | None) -> _Prepared:
    """Look at everything, remove what is to be done again, and write the run's provenance."""
    stages = context.recipe.stages
    origins = find_origins(context)
    again = to_remove(context, redo, origins) if redo is not None else set()
    unfinished = [
        name for name in stages if name in again or not _is_finished(context, name, origins[name])
    ]
    preflight(context, unfinished)
    odd = oddities(context, list(stages))
    for sentence in odd if unfinished else ():
        print(f"warning: {printable(sentence)}", flush=True)
    if redo is not None and again:
        remove(context, redo, again, origins)
    fingerprints = {name: origin.fingerprint for name, origin in origins.items()}
    write_provenance(context, overrides, odd, fingerprints)
    if unfinished:
        print_plan(context, unfinished)
        kept = begin_caching(context, unfinished)
        if kept is not None:
            print(printable(kept), flush=True)
    for name in set(stages) - set(unfinished):  # a kill can leave it beside the manifest
        (context.stage_directory(name) / STARTED).unlink(missing_ok=True)
    return _Prepared(origins, unfinished)


def _finish(context: StageContext) -> None:
    forget(context.directory)
    from segadapt.report import build_report

    build_report(context.directory)
    print_results(context.directory)


def _run_stages(processes: Processes, context: StageContext, origins: dict[str, Origin]) -> None:
    with tracked_run(processes, context, origins) as tracked:
        _follow_stages(processes, context, origins, tracked)


def _follow_stages(
    processes: Processes, context: StageContext, origins: dict[str, Origin], tracked: Tracked
) -> None:
    for name, stage in context.recipe.stages.items():
        origin = origins[name]
        if _is_finished(context, name, origin):
            if processes.is_first:
                print(f"{name}: finished before, skipped", flush=True)
            tracked.finished(name, context.stage_directory(name))
            continue
        directory = context.stage_directory(name)
        if processes.is_first:
            if _is_begun_otherwise(directory, origin):
                shutil.rmtree(directory)
            elif not (directory / STARTED).is_file() and any(directory.glob("*")):
                # Whoever removed the manifest wants it done again: what lies there is of settings
                # that nobody knows any more.
                print(f"{name}: {directory.name} has no manifest and is done anew", flush=True)
                shutil.rmtree(directory)
            directory.mkdir(parents=True, exist_ok=True)
            begun = {"format": FORMAT, "fingerprint": origin.fingerprint}
            write_json(directory / STARTED, begun)
        processes.barrier()
        start = time.monotonic()
        logged = partial(tracked.logged, name, directory)
        summary = _done(stage, Work(name, context, processes, logged))
        if processes.is_first:
            manifest = {
                "format": FORMAT,
                "name": name,
                "stage": stage.stage,
                "fingerprint": origin.fingerprint,
                "seconds": round(time.monotonic() - start, 2),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seed": context.seed,
                "precision": context.compute.precision,
                "processes": processes.count,
                "version": __version__,
                "config": stage.model_dump(mode="json"),
                "settings": stage.complete(),
                "inputs": origin.inputs,
                "artefacts": stage.outputs,
                "files": digests_of(directory),
                "summary": summary,
            }
            write_json(directory / MANIFEST, manifest)
            (directory / STARTED).unlink()
            tracked.finished(name, directory)
        processes.barrier()


def _done(stage: Stage, work: Work) -> dict[str, Any]:
    """Run a stage, and see that it left what it says."""
    try:
        summary = stage.run(work)
    except Exception as error:
        error.add_note(f"in stage {work.name}")
        if isinstance(error, SegadaptError):
            Unread(work.context.directory).note(str(error))
        raise
    for output, kind in stage.outputs.items():
        file = work.directory / FILES[kind]
        if stage.missing(output) is None and work.processes.is_first and not file.exists():
            raise SegadaptError(
                f"{file}: stage {work.name!r} ({stage.stage}) has ended without leaving it, and "
                f"says that its output {output!r} is of kind {kind!r}"
            )
    return summary


def _is_finished(context: StageContext, name: str, origin: Origin) -> bool:
    """Whether a stage's results are there; raises where they come from other settings."""
    directory = context.stage_directory(name)
    again = f"do it again with --redo {name}"
    for file in (MANIFEST, STARTED):
        if not (directory / file).exists():
            continue
        if file == STARTED and _is_begun_otherwise(directory, origin):
            return False
        found = read_object(directory / file, again)
        if found.get("fingerprint") == origin.fingerprint:
            if file == STARTED:
                return False
            _require_as_left(directory, found, again)
            return True
        if found.get("format") != FORMAT:
            raise SegadaptError(
                f"{directory}: stage {name!r} was run with another version of segadapt, whose runs "
                "cannot go on with this one; name another folder with --out (its checkpoints can "
                "still be scored, used, and taken into a run by a convert stage)"
            )
        raise SegadaptError(
            f"{directory}: stage {name!r} was run with other settings, data, seed or "
            f"precision; name another folder with --out, or {again}"
        )
    return False


def _require_as_left(directory: Path, manifest: dict[str, Any], again: str) -> None:
    """Results that were edited, damaged or exchanged are nobody's."""
    recorded = manifest.get("files")
    if not isinstance(recorded, dict):
        return  # of a version that recorded none
    different = changed(directory, recorded)
    if different is not None:
        what = "its pictures are" if different == OTHERS else f"{different} is"
        raise SegadaptError(f"{directory}: {what} not as the stage left it; {again}")


def _is_begun_otherwise(directory: Path, origin: Origin) -> bool:
    """Whether a stage was begun with other settings or data and has nothing saved to lose.

    A file that was mended after it stopped the stage is the usual cause.
    """
    if (directory / MANIFEST).is_file() or (directory / STATE_FILE).is_file():
        return False
    try:
        begun = json.loads((directory / STARTED).read_text())
    except OSError:
        return False
    except ValueError:  # cut off: nothing had been done
        return True
    return not isinstance(begun, dict) or begun.get("fingerprint") != origin.fingerprint


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
