"""References between the stages of a recipe: each must name an earlier result of the right kind."""

from __future__ import annotations

from collections.abc import Mapping

from segadapt.artefacts import FILES
from segadapt.base.errors import SegadaptError, first_line, shortened
from segadapt.config.recipe import Recipe
from segadapt.config.stage import Reference, Stage
from segadapt.config.values import misfit_of_name

NAMES = {
    "source": "a source domain",
    "target": "a target domain",
    "test": "a test domain",
    "images": "a split's images",
    "labels": "pseudo-labels",
    "indexed_labels": "a split's pseudo-labels",
    "translation": "translated images",
    "class_prior": "a class prior",
    "class_counts": "counts of classes",
    "translator": "a translator",
    "snapshots": "snapshots",
}
"""Of roles and kinds, in messages; the others are called what they are."""


def check_references(recipe: Recipe, title: str) -> None:
    """Resolve every reference of every stage, in order.

    Raises:
        SegadaptError: one names nothing, something later, or something of another kind.
    """
    for name, domain in recipe.domains.items():
        maker = recipe.stages.get(domain.drawn_by) if domain.drawn_by else None
        if domain.drawn_by and (maker is None or "folder" not in maker.outputs.values()):
            raise SegadaptError(
                f"recipe {title}: domains.{name}.drawn_by: {domain.drawn_by!r} is no draw stage "
                "of this recipe"
            )
    seen: dict[str, Stage] = {}
    for name, stage in recipe.stages.items():
        place = f"recipe {title}: stages.{name}"
        if "." in name or "/" in name or name in recipe.domains:
            raise SegadaptError(
                f"{place}: a stage's name must not hold a dot or a slash, nor be a domain's"
            )
        problem = misfit_of_name(name)
        if problem is not None:
            raise SegadaptError(f"{place}: {problem}")
        _check_outputs(stage, place)
        for reference in _references(stage, place):
            _expect(recipe, seen, place, stage, reference)
        seen[name] = stage


def _check_outputs(stage: Stage, place: str) -> None:
    """Outputs of a user's own stage must be of kinds that others know."""
    if not isinstance(stage.outputs, Mapping) or not set(stage.outputs.values()) <= set(FILES):
        raise SegadaptError(
            f"{place}.stage: {stage.stage} says {stage.outputs!r} of its outputs; it must be names "
            f"mapped to kinds, which are {', '.join(FILES)}"
        )
    if stage.derived_from is not None and stage.derived_from not in type(stage).model_fields:
        raise SegadaptError(
            f"{place}.stage: {stage.stage} says derived_from {stage.derived_from!r}, which is none "
            f"of its settings ({', '.join(type(stage).model_fields)})"
        )


def _references(stage: Stage, place: str) -> list[Reference]:
    try:
        found = list(stage.references())
        if not all(isinstance(reference, Reference) for reference in found):
            raise TypeError("all of them must be Reference(key, name, kinds)")
    except Exception as error:  # of a user's own stage: it may be anything
        raise SegadaptError(
            f"{place}.stage: the references of {stage.stage} cannot be had "
            f"({type(error).__name__}: {first_line(error)})"
        ) from error
    return found


def _expect(
    recipe: Recipe, seen: dict[str, Stage], place: str, stage: Stage, reference: Reference
) -> None:
    found = _kind(recipe, seen, f"{place}.{reference.key}", reference.name)
    if found in reference.kinds:
        return
    wanted = dict.fromkeys(_called(kind) for kind in reference.kinds)
    hint = ""
    if found == "target" and reference.labelled and "oracle" in type(stage).model_fields:
        hint = "; its labels are never opened, unless for an upper bound with oracle: true"
    raise SegadaptError(
        f"{place}.{reference.key}: {shortened(reference.name)} is {_called(found)}, "
        f"expected {' or '.join(wanted)}{hint}"
    )


def _called(kind: str) -> str:
    return NAMES.get(kind, f"a {kind}")


def _kind(recipe: Recipe, seen: dict[str, Stage], place: str, name: str) -> str:
    """Role of a domain, or kind of a stage's output."""
    if name in recipe.domains:
        domain = recipe.domains[name]
        if domain.drawn_by is not None and domain.drawn_by not in seen:
            raise SegadaptError(
                f"{place}: domain {name!r} is drawn by stage {domain.drawn_by!r}, which must come "
                "before this one"
            )
        return domain.role
    stage_name, _, output = name.partition(".")
    if stage_name not in seen:
        problem = (
            "names a stage that does not come before this one"
            if stage_name in recipe.stages
            else "is neither a domain nor an output of a stage (STAGE.OUTPUT)"
        )
        raise SegadaptError(
            f"{place}: {shortened(name)} {problem}; domains are {', '.join(recipe.domains)}"
        )
    stage = seen[stage_name]
    if output not in stage.outputs:
        raise SegadaptError(
            f"{place}: stage {stage_name!r} has no output {output!r}; "
            f"it has {', '.join(stage.outputs) or 'none'}"
        )
    missing = stage.missing(output)
    if missing is not None:
        raise SegadaptError(f"{place}: {name!r} {missing}")
    return stage.outputs[output]
