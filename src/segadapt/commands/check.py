"""Checks a recipe and all the data it names, before a run: the ``check`` verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError, printable
from segadapt.config.recipe import Recipe
from segadapt.data.check import TOLD, DomainFindings, Problem, by_kind, check_domain
from segadapt.data.domain import Domain
from segadapt.data.listing import list_domain
from segadapt.runs.origins import find_origins
from segadapt.stages.context import StageContext
from segadapt.stages.images import opened_domains
from segadapt.stages.lineage import leaks
from segadapt.stages.preflight import problems

UNUSED = "is used by no stage, so a run leaves it alone, whatever is wrong with it"


def check_recipe(recipe: Recipe, data_root: Path, cache_dir: Path | None = None) -> None:
    """Print what was found in every domain, then all that a run looks at before it begins.

    What is wrong, and a run refuses, is an error; what is odd is told and counted.

    Raises:
        SegadaptError: something is wrong.
    """
    console = Console(highlight=False)
    root = data_root.expanduser().absolute()
    cache = None if cache_dir is None else cache_dir.expanduser().absolute()
    context = StageContext(recipe, Path.cwd(), root, seed=0, cache_dir=cache)
    wrong, odd = [], 0
    for found in check_data(recipe, context.data_root):
        _print(found, console)
        wrong += [problem.message for problem in found.problems]
        odd += len(found.warnings)
    for sentence in leaks(context):
        _line(console, "[yellow]![/]", sentence)
        odd += 1
    of_stages = _problems_of_stages(context, wrong)
    wrong += of_stages
    if len(wrong) == 1 and of_stages:
        raise SegadaptError(wrong[0])
    for message in of_stages:
        _line(console, "[red]✗[/]", message)
    if wrong:
        more = "; all are above" if len(wrong) > 1 else ""
        raise SegadaptError(f"{counted(len(wrong), 'problem')} found, first {wrong[0]}{more}")
    console.print(f"no problems, {counted(odd, 'warning')}; see above" if odd else "all good")


def _problems_of_stages(context: StageContext, known: list[str]) -> list[str]:
    """What a run is refused for before its first stage, without what is known already."""
    stages = list(context.recipe.stages)
    found = dict.fromkeys(str(problem) for problem in problems(context, stages, listed=True))
    if not found and not known:
        try:
            find_origins(context)
        except SegadaptError as error:
            return [str(error)]
    return [message for message in found if message not in known]


def check_data(recipe: Recipe, data_root: Path) -> Iterator[DomainFindings]:
    """Read every domain of a recipe that exists before the run.

    Labels are read where a stage reads them: those of a target for an oracle alone.
    """
    context = StageContext(recipe, Path("."), data_root, seed=0)
    opened = opened_domains(context, recipe.stages)
    for name, config in recipe.domains.items():
        if config.drawn_by is not None:
            continue
        title, labelled = f"domain {name!r}", opened.get(name, False)
        try:
            root, image_list = context.domain_root(name), context.image_list(name)
            list_one = partial(list_domain, config, root, title, image_list)
            found = _looked_at(list_one, labelled)
        except SegadaptError as error:
            found = DomainFindings(title, 0, labelled, problems=[_unopened(error)])
        if name not in opened:
            told = [*found.problems, *found.warnings, Problem(TOLD, f"{title}: {UNUSED}")]
            found = replace(found, problems=[], warnings=told)
        yield found


def _looked_at(list_one: Callable[[bool], Domain], labelled: bool) -> DomainFindings:
    """What is found in a domain; in its images alone where its labels are not to be paired."""
    try:
        return check_domain(list_one(labelled))
    except SegadaptError as error:
        if not labelled:
            raise
        found = check_domain(list_one(False))
        return replace(found, problems=[_unopened(error), *found.problems])


def _unopened(error: SegadaptError) -> Problem:
    return Problem("data sets that cannot be opened", str(error))


def _print(found: DomainFindings, console: Console) -> None:
    kind = "with labels" if found.labelled else "(labels are never opened)"
    console.print(
        f"[bold]{escape(printable(found.title))}[/]: {counted(found.images, 'image')} {kind}"
    )
    for (height, width), number in found.sizes.most_common(3):
        console.print(f"  {number} of {height}x{width} (height x width)")
    if len(found.sizes) > 3:
        console.print(f"  and {len(found.sizes) - 3} more sizes")
    if found.boxes is not None:
        ignored = f", {found.ignored_boxes} of them ignored" if found.ignored_boxes else ""
        console.print(f"  {counted(found.boxes, 'box')}{ignored}")
    for name, share in sorted(found.class_shares.items(), key=lambda x: -x[1]):
        bar = "█" * round(40 * share) or "▏"
        console.print(f"  {printable(name):<16} {100 * share:5.1f} %  {bar}", markup=False)
    if found.class_shares:
        console.print(f"  {'ignored':<16} {100 * found.ignored_share:5.1f} %")
    for sign, told in (("[red]✗[/]", found.problems), ("[yellow]![/]", found.warnings)):
        for kind, messages in by_kind(told).items():
            if kind == TOLD:
                for message in messages:
                    _line(console, f"  {sign}", message)
                continue
            console.print(f"  {sign} {len(messages)} {kind}:")
            for message in messages[:3]:
                _line(console, "     ", message)
            if len(messages) > 3:
                console.print(f"      and {len(messages) - 3} more")


def _line(console: Console, sign: str, message: str) -> None:
    console.print(sign, end=" ")
    console.print(printable(message), markup=False, soft_wrap=True)
