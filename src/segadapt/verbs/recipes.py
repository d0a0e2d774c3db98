"""Verbs about recipes, and what they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segadapt.base.errors import SegadaptError
from segadapt.verbs.options import (
    CacheOption,
    DataRootOption,
    DeviceOption,
    Listable,
    RecipeArgument,
    SetOption,
)


def check(
    recipe: RecipeArgument,
    data_root: DataRootOption = Path("."),
    set_: SetOption = None,
    cache_dir: CacheOption = None,
) -> None:
    """Read a recipe and all of its data: pairs, sizes, ids, corrupt files, class shares."""
    from segadapt.config.load import load_recipe

    loaded = load_recipe(recipe, set_ or ())  # what is wrong with it is told before torch is there
    from segadapt.commands.check import check_recipe

    check_recipe(loaded, data_root, cache_dir)


def show(recipe: RecipeArgument, set_: SetOption = None) -> None:
    """Print a recipe with all of its values, defaults included."""
    from segadapt.commands.show import shown
    from segadapt.config.load import load_recipe

    typer.echo(shown(load_recipe(recipe, set_ or ())))


def copy(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Argument(help="The new file.")],
) -> None:
    """Copy a shipped recipe to a file, to be changed there."""
    from segadapt.config.load import whole_text

    text = whole_text(recipe)
    if to.exists():
        raise SegadaptError(f"{to}: exists already; name another file")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text)
    except OSError as error:
        raise SegadaptError(f"{to}: cannot be written ({error.strerror})") from error
    typer.echo(f"{to}: run it with `segadapt run {to}`")


def new(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="The new file.")],
    source: Annotated[Path, typer.Option("--source", help="Folder of labelled images.")],
    target: Annotated[Path, typer.Option("--target", help="Folder of images to adapt to.")],
    minutes: Annotated[
        float, typer.Option("--minutes", min=1, help="That the trainings may take together.")
    ] = 30,
    device: DeviceOption = "auto",
    weights: Annotated[
        str | None, typer.Option("--weights", help="The network's; torchvision's where not given.")
    ] = None,
) -> None:
    """Write a first recipe for images of your own, sized to this machine."""
    from segadapt.commands.new import new_recipe

    new_recipe(recipe, source, target, device, minutes, weights, typer.echo)


def list_(
    what: Annotated[Listable | None, typer.Argument(help="What to list.")] = None,
) -> None:
    """List what there is."""
    from segadapt.commands import lists

    if what is None:
        for kind in Listable:
            typer.echo(f"segadapt list {kind.value}")
        return

    lines = {
        Listable.recipes: lists.recipe_lines,
        Listable.methods: lists.method_lines,
        Listable.models: lists.model_lines,
        Listable.datasets: lists.dataset_lines,
    }
    for line in lines[what]():
        typer.echo(line)
