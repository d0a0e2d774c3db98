"""Verbs about runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segadapt.base.errors import SegadaptError
from segadapt.verbs.options import (
    CacheOption,
    DataRootOption,
    DeviceOption,
    Precision,
    PrecisionOption,
    RecipeArgument,
    SetOption,
    TrackOption,
)

if TYPE_CHECKING:
    from segadapt.base.compute import ComputeSettings


def run(
    recipe: RecipeArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The run's folder; runs/RECIPE-seedN where not given."),
    ] = None,
    data_root: DataRootOption = Path("."),
    set_: SetOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")] = 0,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Number of processes.")] = 1,
    precision: PrecisionOption = Precision.full,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Run with several: 3 for the seeds 0, 1, 2, or as 0,4,7."),
    ] = None,
    redo: Annotated[
        str | None,
        typer.Option("--redo", help="Do this stage again, and all that depend on it."),
    ] = None,
    track: TrackOption = None,
    cache_dir: CacheOption = None,
) -> None:
    """Run a recipe. The same command again goes on where a stopped run was."""
    compute: ComputeSettings = {
        "device": device,
        "devices": devices,
        "precision": precision.value,
    }
    trackers = [tracker.value for tracker in track or ()]
    if seeds is not None:
        from segadapt.commands.seeds import parse_seeds, run_seeds

        numbers = parse_seeds(seeds)
        directory = run_seeds(
            recipe,
            numbers,
            out,
            data_root,
            set_ or (),
            redo=redo,
            track=trackers,
            cache_dir=cache_dir,
            **compute,
        )
    else:
        from segadapt.runs.pipeline import run as run_recipe

        directory = run_recipe(
            recipe,
            out,
            data_root,
            set_ or (),
            seed,
            redo=redo,
            track=trackers,
            cache_dir=cache_dir,
            **compute,
        )
    typer.echo(f"report: {directory / 'report.html'}")


def report(
    run_directory: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder, or that of several seeds.")
    ],
) -> None:
    """Write the report of a run again (also of one that is not finished)."""
    from segadapt.report import build_report
    from segadapt.report.summary import build_summary, is_summary

    if is_summary(run_directory):
        typer.echo(build_summary(run_directory))
        return
    if not (run_directory / "run.json").is_file():
        raise SegadaptError(f"{run_directory}: is no run (it has no run.json)")
    typer.echo(build_report(run_directory))


def compare(
    run_directories: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Runs' folders, or folders of runs; two or more."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("compare.html"),
) -> None:
    """Set runs side by side: scores, classes, settings that differ, pictures.

    Runs that differ by their seed alone count as one, with a spread.
    """
    from segadapt.commands.compare import compare_runs

    compare_runs(run_directories, out)
    typer.echo(f"page: {out}")


def summarise(
    run_directories: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Runs' folders, or folders of runs.")
    ],
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write the rows to this file too.")
    ] = None,
) -> None:
    """Gather the scores of many runs: mean and spread over seeds, a line per setting."""
    from segadapt.commands.summarise import summarise_runs

    summarise_runs(run_directories, csv)
