"""What can be found wrong about a ranking."""

from __future__ import annotations

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.split.entropy_ranking import easy_number
from segadapt.stages.boxes import check_detector
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists
from segadapt.stages.rank.config import RankStage


def check(stage: RankStage, context: StageContext, place: str) -> None:
    """Boxes need a detector, and a normalisation by rare classes a class set that marks some."""
    check_detector(stage, context, place, stage.images)
    classes = context.classes_behind(stage.images)
    if stage.normalisation != "none" and not classes.rare:
        raise SegadaptError(
            f"{place}.normalisation: class set {classes.name!r} marks no class as rare; mark some "
            "(`rare: true` in classes.yaml) or set normalisation to none"
        )
    _check_parts(stage, context, place)


def _check_parts(stage: RankStage, context: StageContext, place: str) -> None:
    """A part that a later stage uses must hold an image."""
    number = number_of(context, stage.images)
    if number is None:
        return
    name = place.removeprefix("stages.")
    easy = easy_number(number, stage.easy_ratio)
    used = {r.name for other in context.recipe.stages.values() for r in other.references()}
    for part, left in (("easy", easy), ("hard", number - easy)):
        if not left and f"{name}.{part}" in used:
            raise SegadaptError(
                f"{place}.easy_ratio: {stage.easy_ratio:g} of {counted(number, 'image')} leaves no "
                f"{part} one, and {name}.{part} is used; change the ratio, add images, or leave "
                "that part out (a ratio of 1 is self-training: source_only on the pseudo-labels)"
            )


def number_of(context: StageContext, reference: str) -> int | None:
    """How many images a domain, or a part of one, has; None where that is not known yet."""
    if reference in context.recipe.domains:
        known = exists(context, reference)
        return len(context.domain(reference, labelled=False)) if known else None
    stage, part = context.stage_of(reference), reference.partition(".")[2]
    if context.kind_of(reference) != "images" or not hasattr(stage, "easy_ratio"):
        return None
    number = number_of(context, stage.images)  # type: ignore[attr-defined]
    if number is None:
        return None
    easy = easy_number(number, stage.easy_ratio)
    return easy if part == "easy" else number - easy
