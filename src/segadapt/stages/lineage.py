"""Whose labels a result was learned from, through any chain of stages."""

from __future__ import annotations

from collections.abc import Iterable

from segadapt.base.errors import SegadaptError
from segadapt.data.domain import Domain
from segadapt.data.same_images import same_images
from segadapt.stages.context import StageContext
from segadapt.stages.images import exists


def labels_behind_stage(context: StageContext, name: str) -> frozenset[str]:
    """Domains whose labels stage ``name``, or a stage that it builds on, has learned from."""
    found: set[str] = set()
    seen, ahead = {name}, [name]
    while ahead:
        for reference in context.recipe.stages[ahead.pop()].references():
            learned = reference.labelled and reference.learned
            if learned and context.is_images(reference.name):
                found |= {context.labels_behind(reference.name)} & context.recipe.domains.keys()
            maker = reference.name.partition(".")[0]
            if reference.name not in context.recipe.domains and maker not in seen:
                seen.add(maker)
                ahead.append(maker)
    return frozenset(found)


def is_oracle(context: StageContext, name: str) -> bool:
    """Whether labels of a target took part in what a stage leaves."""
    roles = {context.recipe.domains[x].role for x in labels_behind_stage(context, name)}
    return "target" in roles


def scored_and_learned(
    context: StageContext, scored: str, names: Iterable[str]
) -> dict[str, list[str]]:
    """Images that are scored and that stages were trained on with their labels.

    Args:
        context: the run.
        scored: a domain. Of one that is not called a test it is known, and nothing is said.
        names: stages.

    Returns:
        Names in ``scored`` by the domain that they are trained on as.

    Raises:
        SegadaptError, OSError: a domain cannot be listed, or a file not be read.
    """
    if context.recipe.domains[scored].role != "test":
        return {}
    learned = frozenset().union(*(labels_behind_stage(context, name) for name in names))
    domain = _opened(context, scored)
    found = {x: same_images(_opened(context, x), domain) for x in sorted(learned - {scored})}
    return {x: images for x, images in found.items() if images}


def leaks(context: StageContext) -> list[str]:
    """Sentences about images that are scored and trained on, as far as they are there already."""
    told = []
    for name, stage in context.recipe.stages.items():
        scored = {r.name for r in stage.references() if r.labelled} & context.recipe.domains.keys()
        others = {r.name for r in stage.references()} - context.recipe.domains.keys()
        models = {reference.partition(".")[0] for reference in others}
        for domain in sorted(x for x in scored if exists(context, x)):
            try:
                found = scored_and_learned(context, domain, models)
            except (SegadaptError, OSError):  # told where data are opened
                continue
            told += [_sentence(context, name, domain, *item) for item in found.items()]
    return told


def _sentence(
    context: StageContext, stage: str, scored: str, learned: str, names: list[str]
) -> str:
    total = len(_opened(context, scored))
    return (
        f"stages.{stage}: {len(names)} of the {total} images of domain {scored!r} that are scored "
        f"are trained on with their labels too, as domain {learned!r} (first {names[0]!r}): the "
        "scores are marked as an oracle's; score other images, or leave these out of the training"
    )


def _opened(context: StageContext, name: str) -> Domain:
    return context.domain(name, labelled=False)
