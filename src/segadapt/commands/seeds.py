"""A recipe run with several seeds: one run each, then their mean and spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Unpack

from segadapt.base.compute import Compute, ComputeSettings
from segadapt.base.errors import SegadaptError
from segadapt.config.load import load_recipe
from segadapt.config.recipe import Recipe
from segadapt.report.summary import build_summary, seed_directory
from segadapt.runs.pipeline import run_in
from segadapt.stages.context import StageContext


def parse_seeds(text: str) -> list[int]:
    """Seeds from ``--seeds``: a number of them, counted from 0, or a list such as ``0,4,7``.

    Raises:
        SegadaptError: it is neither.
    """
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    seeds = list(range(numbers[0])) if len(numbers) == 1 else numbers
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise SegadaptError(
            f"--seeds {text}: give how many (3 for the seeds 0, 1, 2), or different seeds of 0 or "
            "more with commas between them (0,4,7)"
        )
    return seeds


def run_seeds(
    recipe: str | Recipe,
    seeds: Iterable[int],
    out: str | Path | None = None,
    data_root: str | Path = ".",
    overrides: Iterable[str] = (),
    *,
    redo: str | None = None,
    track: Sequence[str] = (),
    cache_dir: str | Path | None = None,
    **compute: Unpack[ComputeSettings],
) -> Path:
    """Run a recipe once per seed, one after the other, in ``OUT/seed-N``.

    Finished runs are skipped and a stopped one goes on, so the same call may be repeated, also
    with further seeds.

    Args:
        recipe: a shipped recipe's name, a YAML file, or a validated recipe.
        seeds: the seeds; those that are already in the folder count in the summary too.
        out: the folder of all runs; ``runs/RECIPE-seeds`` where not given.
        data_root: as of :func:`segadapt.run`.
        overrides: ``a.b=c`` assignments on the recipe.
        redo: a stage to do again in every run.
        track: trackers that follow every run, as of :func:`segadapt.run`.
        cache_dir: where images are kept, as of :func:`segadapt.run`.
        compute: ``device``, ``devices`` and ``precision``, as of :func:`segadapt.run`.

    Returns:
        The folder; ``report.html``, ``summary.json`` and ``summary.md`` lie in it.

    Raises:
        SegadaptError: bad input, found before any work wherever that is possible.
        Interrupted: SIGINT or SIGTERM came; the same call goes on from there.
    """
    overrides = list(overrides)
    if isinstance(recipe, str):
        recipe = load_recipe(recipe, overrides)
    directory = Path(out or f"runs/{recipe.name.replace('/', '-')}-seeds").absolute()
    root = Path(data_root).expanduser().absolute()
    cache = None if cache_dir is None else Path(cache_dir).expanduser().absolute()
    for seed in seeds:
        print(f"seed {seed}", flush=True)
        folder = seed_directory(directory, seed)
        context = StageContext(recipe, folder, root, seed, Compute(**compute), tuple(track), cache)
        run_in(context, overrides, redo)
        build_summary(directory)
    return directory
