"""From a name or a file to a validated recipe, every reference resolved, before any work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from segadapt.artefacts import OUTPUTS, Kind
from segadapt.config import (
    DrawStage,
    EvaluateStage,
    PseudoLabelStage,
    RankStage,
    Recipe,
    StageConfig,
    TrainStage,
)
from segadapt.errors import SegadaptError


def recipe_names() -> list[str]:
    """Names of the shipped recipes, such as ``idd-camvid/intrada``."""
    return sorted(_walk(resources.files("segadapt.recipes"), ""))


def _walk(folder: Traversable, prefix: str) -> Iterable[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield f"{prefix}{entry.name.removesuffix('.yaml')}"


def recipe_text(name: str) -> str:
    """The YAML text of a shipped recipe or of a file.

    Raises:
        SegadaptError: there is neither.
    """
    if name in recipe_names():
        return resources.files("segadapt.recipes").joinpath(f"{name}.yaml").read_text()
    path = Path(name)
    if path.is_file():
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SegadaptError(f"{path}: cannot be read as text ({error})") from error
    raise SegadaptError(
        f"recipe {name!r}: is neither a file nor a shipped recipe; "
        "`segadapt list recipes` shows those"
    )


def load_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """Read, merge and validate a recipe.

    Args:
        name: a shipped recipe, or the path of a YAML file.
        overrides: ``a.b=c`` assignments, as of ``--set``; values are YAML.

    Raises:
        SegadaptError: anything about it is wrong; the message names the place.
    """
    try:
        raw = yaml.load(recipe_text(name), Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise SegadaptError(f"recipe {name}: is not valid YAML: {error}") from error
    if not isinstance(raw, dict):
        raise SegadaptError(f"recipe {name}: must be a mapping with domains and stages")
    for override in overrides:
        _assign(raw, override)
    raw.setdefault("name", Path(name).stem if name not in recipe_names() else name)
    return validate(raw, name)


def validate(raw: dict[str, Any], title: str) -> Recipe:
    """A recipe from its raw form: ``defaults`` go under every stage of their kind.

    Raises:
        SegadaptError: unknown keys, wrong values or dangling references, with their path.
    """
    raw = dict(raw)
    defaults = raw.pop("defaults", None) or {}
    stages = raw.get("stages")
    if not isinstance(defaults, dict):
        raise SegadaptError(
            f"recipe {title}: defaults: must be a mapping from kinds of stages to their settings"
        )
    if isinstance(stages, dict):
        unused = set(defaults) - set(OUTPUTS)
        if unused:
            raise SegadaptError(
                f"recipe {title}: defaults.{sorted(map(str, unused))[0]}: is no kind of stage; "
                f"there are {', '.join(OUTPUTS)}"
            )
        for kind, settings in defaults.items():
            if not isinstance(settings, dict):
                raise SegadaptError(
                    f"recipe {title}: defaults.{kind}: must be a mapping (it is {settings!r})"
                )
        raw["stages"] = {
            key: merge(defaults.get(stage.get("stage"), {}), stage)
            if isinstance(stage, dict) and isinstance(stage.get("stage"), str)
            else stage
            for key, stage in stages.items()
        }
    try:
        recipe = Recipe.model_validate(raw)
    except ValidationError as error:
        raise SegadaptError(f"recipe {title}: {_describe(error)}") from error
    _check_references(recipe, title)
    return recipe


def merge(below: Any, above: Any) -> Any:
    """``above`` laid over ``below``; mappings are merged key by key."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        keys = list(below) + [k for k in above if k not in below]
        return {
            k: merge(below[k], above[k]) if k in below and k in above else (above | below)[k]  # type: ignore[operator]
            for k in keys
        }
    return above


def _assign(raw: dict[str, Any], override: str) -> None:
    path, separator, text = override.partition("=")
    if not separator or not path:
        raise SegadaptError(f"--set {override}: must have the form a.b=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SegadaptError(f"--set {override}: the value is not valid YAML ({error})") from error
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)  # YAML 1.1 reads 1e-4 as text
    place: Any = raw
    keys = path.split(".")
    for depth, key in enumerate(keys[:-1]):
        if isinstance(place.get(key), str) and key == "method":
            place[key] = {"name": place[key]}
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise SegadaptError(
                f"--set {override}: {'.'.join(keys[: depth + 1])} is a value, not a section"
            )
    place[keys[-1]] = value


def _describe(error: ValidationError) -> str:
    """The first problem as one sentence with its path."""
    problem = error.errors()[0]
    # A union puts its tag into the path; readers know the stage by its name alone.
    parts = [str(x) for x in problem["loc"]]
    if len(parts) > 2 and parts[0] == "stages" and parts[2] in OUTPUTS:
        del parts[2]
    path = ".".join(parts)
    if problem["type"] == "extra_forbidden":
        message = "unknown key; `segadapt show RECIPE` prints the known ones with their values"
    elif problem["type"] == "missing":
        message = "is required but not there"
    else:
        message = f"{problem['msg']} (it is {problem.get('input')!r})"
    more = len(error.errors()) - 1
    return f"{path}: {message}" + (f" (and {more} more problem{'s' * (more > 1)})" if more else "")


def _check_references(recipe: Recipe, title: str) -> None:
    for name, domain in recipe.domains.items():
        maker = recipe.stages.get(domain.drawn_by) if domain.drawn_by else None
        if domain.drawn_by and not isinstance(maker, DrawStage):
            raise SegadaptError(
                f"recipe {title}: domains.{name}.drawn_by: {domain.drawn_by!r} is no draw stage "
                "of this recipe"
            )
    seen: dict[str, StageConfig] = {}
    for name, stage in recipe.stages.items():
        place = f"recipe {title}: stages.{name}"
        if "." in name or "/" in name or name in recipe.domains:
            raise SegadaptError(
                f"{place}: a stage's name must not hold a dot or a slash, nor be a domain's"
            )
        check = _Checker(recipe, seen, place)
        if isinstance(stage, TrainStage):
            check.train(stage)
        elif isinstance(stage, RankStage | PseudoLabelStage):
            check.expect("checkpoint", stage.checkpoint, ("checkpoint",))
            check.expect("images", stage.images, ("target", "images"))
        elif isinstance(stage, EvaluateStage):
            for i, reference in enumerate(stage.checkpoints):
                check.expect(f"checkpoints.{i}", reference, ("checkpoint",))
            check.expect("domain", stage.domain, ("test", "source"))
        seen[name] = stage


class _Checker:
    """Looks at the references of one stage."""

    def __init__(self, recipe: Recipe, seen: Mapping[str, StageConfig], place: str) -> None:
        self.recipe, self.seen, self.place = recipe, seen, place

    def train(self, stage: TrainStage) -> None:
        labelled = ("source", "labels", "target") if stage.oracle else ("source", "labels")
        self.expect("source", stage.source, labelled)
        if stage.target is not None:
            self.expect("target", stage.target, ("target", "images"))
        if stage.start_from is not None:
            self.expect("start_from", stage.start_from, ("checkpoint",))
        if stage.optimizer.repeated_updates and stage.optimizer.name != "sgd":
            raise SegadaptError(
                f"{self.place}.optimizer.repeated_updates: goes with the sgd optimizer only"
            )

    def expect(self, key: str, reference: str, kinds: tuple[str, ...]) -> None:
        found = self.kind(key, reference)
        if found not in kinds:
            names = {"images": "a split's images", "labels": "pseudo-labels"}
            wanted = " or ".join(
                names.get(k, f"a {k}" if k == "checkpoint" else f"a {k} domain") for k in kinds
            )
            hint = ""
            if key == "source" and found == "target":
                hint = "; its labels are never opened, unless for an upper bound with oracle: true"
            raise SegadaptError(
                f"{self.place}.{key}: {reference!r} is {names.get(found, f'a {found}')}"
                f"{' domain' if found in ('source', 'target', 'test') else ''}, "
                f"expected {wanted}{hint}"
            )

    def kind(self, key: str, reference: str) -> Kind | str:
        if reference in self.recipe.domains:
            domain = self.recipe.domains[reference]
            if domain.drawn_by is not None and domain.drawn_by not in self.seen:
                raise SegadaptError(
                    f"{self.place}.{key}: domain {reference!r} is drawn by stage "
                    f"{domain.drawn_by!r}, which must come before this one"
                )
            return domain.role
        stage_name, _, output = reference.partition(".")
        if stage_name not in self.seen:
            later = stage_name in self.recipe.stages
            raise SegadaptError(
                f"{self.place}.{key}: {reference!r} "
                + (
                    "names a stage that does not come before this one"
                    if later
                    else "is neither a domain nor an output of a stage (STAGE.OUTPUT)"
                )
                + f"; domains are {', '.join(self.recipe.domains)}"
            )
        outputs = OUTPUTS[self.seen[stage_name].stage]
        if output not in outputs:
            raise SegadaptError(
                f"{self.place}.{key}: stage {stage_name!r} has no output {output!r}; "
                f"it has {', '.join(outputs) or 'none'}"
            )
        return outputs[output]


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of a silent overwrite."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Before `<<` is resolved: a key may well override one that is merged in.
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.YAMLError(f"key {key.value!r} is given twice ({key.start_mark})")
                seen.add((key.tag, key.value))
        return node
