"""What can be found wrong about a ranking."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.stages.context import StageContext
from segadapt.stages.rank.config import RankStage


def check(stage: RankStage, context: StageContext, place: str) -> None:
    """A normalisation by rare classes needs a class set that marks some."""
    classes = context.classes_behind(stage.images)
    if stage.normalisation != "none" and not classes.rare:
        raise SegadaptError(
            f"{place}.normalisation: class set {classes.name!r} marks no class as rare; mark some "
            "(`rare: true` in classes.yaml) or set normalisation to none"
        )
