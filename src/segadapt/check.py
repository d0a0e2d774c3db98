"""Checks a recipe and all the data it names, before a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segadapt.config import Recipe, TrainStage
from segadapt.data.check import DomainFindings, Problem, check_domain
from segadapt.data.listing import list_domain
from segadapt.errors import SegadaptError
from segadapt.stages.context import StageContext


def check_data(recipe: Recipe, data_root: Path) -> Iterator[DomainFindings]:
    """Read every domain of a recipe that exists before the run.

    Labels are read where the recipe may read them: those of a target only for an oracle stage.
    """
    context = StageContext(recipe, Path("."), data_root, seed=0)
    oracles = {s.source for s in recipe.stages.values() if isinstance(s, TrainStage) and s.oracle}
    for name, config in recipe.domains.items():
        if config.drawn_by is not None:
            continue
        title = f"domain {name!r}"
        labelled = config.role != "target" or name in oracles
        try:
            root, image_list = context.domain_root(name), context.image_list(name)
            domain = list_domain(config, root, title, image_list)
            yield check_domain(domain if labelled else domain.unlabelled())
        except SegadaptError as error:
            problem = Problem("data sets that cannot be opened", str(error))
            yield DomainFindings(title, 0, labelled, problems=[problem])
