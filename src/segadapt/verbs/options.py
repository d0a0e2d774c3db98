"""Arguments and options that several verbs have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Precision(StrEnum):
    """Number formats that training and inference are tested in."""

    full = "32-true"
    mixed = "bf16-mixed"


class GraphInput(StrEnum):
    """What an exported file takes."""

    float = "float"
    uint8 = "uint8"


class GraphOutput(StrEnum):
    """What an exported file gives."""

    scores = "scores"
    labels = "labels"
    boxes = "boxes"
    detections = "detections"


class Tracker(StrEnum):
    """What can follow a run."""

    wandb = "wandb"
    trackio = "trackio"
    mlflow = "mlflow"
    tensorboard = "tensorboard"


class Listable(StrEnum):
    """What ``segadapt list`` can list."""

    recipes = "recipes"
    methods = "methods"
    models = "models"
    datasets = "datasets"


RecipeArgument = Annotated[str, typer.Argument(help="A shipped recipe's name, or a YAML file.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change a value of the recipe; repeatable."),
]
DataRootOption = Annotated[
    Path, typer.Option("--data-root", help="Folder that the datasets' folders are in.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        help="Where images of domains with cache: true are kept; the user's cache folder where "
        "not given.",
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
PrecisionOption = Annotated[Precision, typer.Option("--precision", help="Number format.")]
TrackOption = Annotated[
    list[Tracker] | None,
    typer.Option("--track", help="Show the run in this program too; repeatable."),
]
FamilyOption = Annotated[
    str | None,
    typer.Option(
        "--family",
        help="Whose program a published .pth file belongs to: advent, intrada, adaptsegnet, clan, "
        "bdl or crst.",
    ),
]
WithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="FILE[=WEIGHT]",
        help="Average this checkpoint's score maps with the first's, which weighs 1; repeatable.",
    ),
]
ScalesOption = Annotated[
    str, typer.Option("--scales", help="Look at images at these scales, as in 0.75,1,1.25.")
]
FlipOption = Annotated[bool, typer.Option("--flip", help="Look at the mirrored image too.")]
WindowOption = Annotated[
    str | None,
    typer.Option("--window", metavar="HxW", help="Look through a sliding window of this size."),
]
