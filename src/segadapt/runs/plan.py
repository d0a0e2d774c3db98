"""What a run is about to do, in a table of a few lines."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from segadapt.base.durations import about
from segadapt.base.errors import printable
from segadapt.config.stage import Stage
from segadapt.engine.device import pick_device
from segadapt.runs.terminal import narrow_console, narrow_table
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists


def print_plan(context: StageContext, unfinished: Collection[str]) -> None:
    """Print stages with images, iterations and batch, what it is computed on, where it goes."""
    console = narrow_console()
    compute = context.compute
    devices = f" x {compute.devices}" if compute.devices > 1 else ""
    device = f"{pick_device(compute.device)}{devices}, {compute.precision}"
    console.print(f"{printable(context.recipe.name)}, seed {context.seed}, on {device}")
    console.print(f"into {printable(str(context.directory))}")
    table = narrow_table("", "stage", "", "images", "iterations", "batch", numbers_from=4)
    seconds = 0.0
    trains = False
    for number, (name, stage) in enumerate(context.recipe.stages.items(), start=1):
        settings = stage.model_dump(mode="json")
        iterations = settings.get("iterations")
        if name in unfinished:
            trains = trains or iterations is not None
            seconds += stage.seconds(context)
        table.add_row(
            str(number),
            printable(name),
            _kind(stage, settings) if name in unfinished else "done before",
            printable(_images(context, stage)),
            *(("", "") if iterations is None else (str(iterations), str(settings["batch_size"]))),
        )
    console.print(table)
    if trains:
        console.print(f"{_time(seconds, pick_device(compute.device))}; each says what is left")


def _time(seconds: float, device: str) -> str:
    """What all trainings may take: reckoned from one image that networks were shown on the CPU."""
    if device == "cpu" and seconds > 0:
        return f"trainings: {about(seconds)}, reckoned from one image"
    return "trainings: their time is known after their first steps"


def _kind(stage: Stage, settings: dict[str, Any]) -> str:
    """The method that it trains by, or the kind of stage; of package.module:Class the class."""
    method = settings.get("method")
    if isinstance(method, dict):
        method = method.get("name")
    return str(method or stage.stage).rpartition(":")[2]


def _images(context: StageContext, stage: Stage) -> str:
    """The images that it reads, with their number where they are there already."""
    names = dict.fromkeys(r.name for r in stage.references() if context.is_images(r.name))
    return ", ".join(_counted(context, name) for name in names)


def _counted(context: StageContext, name: str) -> str:
    if name in context.recipe.domains and exists(context, name):
        return f"{name} {len(context.domain(name, labelled=False))}"
    return name
