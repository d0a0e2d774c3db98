"""Checks a recipe and all the data it names, before a run: the ``check`` verb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.config.recipe import Recipe
from segadapt.data.check import DomainFindings, Problem, check_domain
from segadapt.data.listing import list_domain
from segadapt.stages.context import StageContext
from segadapt.stages.preflight import preflight
from segadapt.stages.warnings import warnings

UNOPENED = "data sets that cannot be opened"


def check_recipe(recipe: Recipe, data_root: Path) -> None:
    """Print what was found in every domain, then look at all that a run looks at before it begins.

    Warnings are what a run goes on with.

    Raises:
        SegadaptError: something is wrong.
    """
    console = Console(highlight=False)
    place = data_root.expanduser().absolute()
    context = StageContext(recipe, Path.cwd(), place, seed=0)
    problems = warned = 0
    unopened = False
    for found in check_data(recipe, data_root.expanduser()):
        _print(found, console)
        problems += len(found.problems)
        warned += len(found.warnings)
        unopened = unopened or UNOPENED in found.problems_by_kind()
    if not unopened:  # else it would say the same again
        try:
            preflight(context, list(recipe.stages))
            for message in warnings(context):
                warned += 1
                console.print("[yellow]![/]", end=" ")
                console.print(message, markup=False, soft_wrap=True)
        except SegadaptError as error:
            if not problems:
                raise
            problems += 1
            console.print("[red]✗[/]", end=" ")
            console.print(str(error), markup=False, soft_wrap=True)
    told = f", {counted(warned, 'warning')}" if warned else ""
    if problems:
        raise SegadaptError(f"{counted(problems, 'problem')} found{told}; see above")
    console.print(f"all good{told}")


def check_data(recipe: Recipe, data_root: Path) -> Iterator[DomainFindings]:
    """Read every domain of a recipe that exists before the run.

    Labels are read where the recipe may read them: those of a target only for an oracle stage.
    """
    context = StageContext(recipe, Path("."), data_root, seed=0)
    opened = {r.name for s in recipe.stages.values() for r in s.references() if r.labelled}
    for name, config in recipe.domains.items():
        if config.drawn_by is not None:
            continue
        title = f"domain {name!r}"
        labelled = config.role != "target" or name in opened
        try:
            root, image_list = context.domain_root(name), context.image_list(name)
            domain = list_domain(config, root, title, image_list, labelled)
            yield check_domain(domain if labelled else domain.unlabelled())
        except SegadaptError as error:
            problem = Problem(UNOPENED, str(error))
            yield DomainFindings(title, 0, labelled, problems=[problem])


def _print(found: DomainFindings, console: Console) -> None:
    kind = "with labels" if found.labelled else "(labels are never opened)"
    console.print(f"[bold]{found.title}[/]: {counted(found.images, 'image')} {kind}")
    for (height, width), number in found.sizes.most_common(3):
        console.print(f"  {number} of {height}x{width} (height x width)")
    if len(found.sizes) > 3:
        console.print(f"  and {counted(len(found.sizes) - 3, 'more size')}")
    for name, share in sorted(found.class_shares.items(), key=lambda x: -x[1]):
        bar = "█" * round(40 * share) or "▏"
        console.print(f"  {name:<16} {100 * share:5.1f} %  {bar}", markup=False)
    if found.class_shares:
        console.print(f"  {'ignored':<16} {100 * found.ignored_share:5.1f} %")
    _print_kinds(found.problems_by_kind(), "[red]✗[/]", console)
    _print_kinds(found.warnings_by_kind(), "[yellow]![/]", console)


def _print_kinds(by_kind: dict[str, list[str]], mark: str, console: Console) -> None:
    for kind, messages in by_kind.items():
        console.print(f"  {mark} {len(messages)} {kind}:")
        for message in messages[:3]:
            console.print(f"      {message}", markup=False, soft_wrap=True)
        if len(messages) > 3:
            console.print(f"      and {len(messages) - 3} more")
