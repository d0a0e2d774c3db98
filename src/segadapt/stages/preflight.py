"""Everything that can be found wrong before hours of work are spent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence

from segadapt.base.classes import ClassSet, class_difference
from segadapt.base.errors import SegadaptError, unforeseen
from segadapt.config.stage import Stage
from segadapt.stages.caching import no_room
from segadapt.stages.context import StageContext
from segadapt.stages.images import open_images
from segadapt.stages.whole_images import check_sides

WITHOUT_CLASSES = ("translator", "folder")
"""Kinds of outputs that know of no classes."""

SAME_CLASSES = (
    "choose a class map that both have (domains.*.classes); folders of your own need the same "
    "names in the same order in each classes.yaml"
)


def preflight(context: StageContext, stages: Sequence[str]) -> None:
    """Check what stages refer to, their own settings, and the disk space, of those that will run.

    Raises:
        SegadaptError: the first problem found.
    """
    for problem in problems(context, stages):
        raise problem


def problems(
    context: StageContext, stages: Sequence[str], listed: bool = False
) -> Iterator[SegadaptError]:
    """All that is wrong with stages, one after the other.

    Args:
        context: the run.
        stages: those that will run.
        listed: their images were looked at already.
    """
    needed = 0
    for name in stages:
        stage, place = context.recipe.stages[name], f"stages.{name}"
        if not stage.runs():
            yield SegadaptError(
                f"{place}.stage: {stage.stage} does not say how it runs; give its class a method "
                "run(self, work)"
            )
            continue
        checks = [_check_itself, check_sides, _check_classes]
        checks[2:2] = [] if listed else [_open_images]
        found = [x for check in checks if (x := _problem(check, stage, context, place)) is not None]
        yield from found
        if not found:
            try:
                needed += stage.disk(context)
            except (SegadaptError, OSError):
                raise
            except Exception as error:  # of a user's own class: it may be anything
                yield _uncheckable(stage, place, error)
    free = shutil.disk_usage(context.directory).free
    if free < needed:
        yield SegadaptError(
            f"{context.directory}: {free / 2**30:.1f} GiB are free, this run needs about "
            f"{needed / 2**30:.1f} GiB; free some space, or name another disk with --out"
        )
    problem = no_room(context, stages, needed)
    if problem is not None:
        yield problem


def _problem(
    check: Callable[[Stage, StageContext, str], None],
    stage: Stage,
    context: StageContext,
    place: str,
) -> SegadaptError | None:
    try:
        check(stage, context, place)
    except SegadaptError as error:
        return error
    except OSError:
        raise
    except Exception as error:  # of a user's own class: it may be anything
        return _uncheckable(stage, place, error)
    return None


def _uncheckable(stage: Stage, place: str, error: Exception) -> SegadaptError:
    told = SegadaptError(f"{place}: {stage.stage} cannot be checked ({unforeseen(error)})")
    told.__cause__ = error
    return told


def _check_itself(stage: Stage, context: StageContext, place: str) -> None:
    stage.check(context, place)


def _open_images(stage: Stage, context: StageContext, place: str) -> None:
    open_images(stage, context)


def _check_classes(stage: Stage, context: StageContext, place: str) -> None:
    """Images, networks and class priors of a stage must have the same classes."""
    found: dict[str, ClassSet] = {}
    for reference in stage.references():
        if reference.same_classes and context.kind_of(reference.name) not in WITHOUT_CLASSES:
            kind = {"class_prior": "the prior "}.get(reference.kinds[0], "the model of ")
            title = repr(reference.name)
            if not context.is_images(reference.name):
                title = kind + title
            found[title] = context.classes_behind(reference.name)
    if not found:
        return
    # Images first: it is their class map that can be changed.
    (first, expected), *others = sorted(found.items(), key=lambda x: x[0].startswith("the "))
    for title, classes in others:
        if classes.names != expected.names:
            raise SegadaptError(
                f"{place}: {first} has {len(expected.names)} classes, {title} has "
                f"{len(classes.names)}: {class_difference(expected, classes)}; {SAME_CLASSES}"
            )
