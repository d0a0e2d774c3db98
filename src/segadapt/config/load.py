"""From a name or a file to a validated recipe, every reference resolved, before any work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from segadapt.base.errors import SegadaptError, is_file, shortened
from segadapt.base.section import Problem, found_in
from segadapt.base.strict_yaml import read_yaml
from segadapt.config.model import ROOMS, without_leftovers
from segadapt.config.problems import worded
from segadapt.config.recipe import Recipe
from segadapt.config.references import check_references
from segadapt.config.stage import STAGES, Stage


def recipe_names() -> list[str]:
    """Names of the shipped recipes, such as ``idd-camvid/intrada``.

    Files that begin with an underscore hold what recipes share, and are none themselves.
    """
    names = _walk(resources.files("segadapt.recipes"), "")
    return sorted(name for name in names if not name.split("/")[-1].startswith("_"))


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
    if name in _walk(resources.files("segadapt.recipes"), ""):
        return resources.files("segadapt.recipes").joinpath(f"{name}.yaml").read_text()
    path = Path(name)
    if is_file(path):
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SegadaptError(f"{path}: cannot be read as text ({error})") from error
    raise SegadaptError(
        f"recipe {shortened(name)}: is neither a file nor a shipped recipe; "
        "`segadapt list recipes` shows those"
    )


def whole_text(name: str) -> str:
    """The YAML text of a recipe, with all that it is based on written out.

    Raises:
        SegadaptError: there is no such recipe, or it is not valid YAML.
    """
    text = recipe_text(name)
    if not any(line.startswith("based_on:") for line in text.splitlines()):
        return text  # as it was written, comments included
    raw = {"description": "", **_read(name, ())}
    whole = yaml.dump(raw, Dumper=_PlainDumper, sort_keys=False, width=96)
    return f"# {name}, with what it was based on written out\n{whole}"


def load_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """Read, merge and validate a recipe.

    Args:
        name: a shipped recipe, or the path of a YAML file.
        overrides: ``a.b=c`` assignments, as of ``--set``; values are YAML.

    Raises:
        SegadaptError: anything about it is wrong; the message names the place.
    """
    raw = _read(name, ())
    for override in overrides:
        _assign(raw, override)
    raw.setdefault("name", Path(name).stem if name not in recipe_names() else name)
    return validate(raw, name)


def _read(name: str, above: tuple[str, ...]) -> dict[str, Any]:
    """A recipe's raw form, laid over those that its ``based_on`` names, the last one uppermost."""
    if name in above:
        raise SegadaptError(f"recipe {name}: is based on itself ({' -> '.join((*above, name))})")
    text = recipe_text(name)
    raw = read_yaml(text, f"recipe {name}")
    if not isinstance(raw, dict):
        raise SegadaptError(f"recipe {name}: must be a mapping with domains and stages")
    bases = raw.pop("based_on", [])
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise SegadaptError(f"recipe {name}: based_on: must be a recipe's name or a list of names")
    below: dict[str, Any] = {}
    for base in bases:
        # Without detours: a recipe that is based on itself is found by its name.
        beside = Path(os.path.normpath(Path(name).parent / base))
        below = merge(below, _read(str(beside) if is_file(beside) else base, (*above, name)))
    return merge(below, raw)  # type: ignore[no-any-return]


def validate(raw: dict[str, Any], title: str) -> Recipe:
    """A recipe from its raw form: ``defaults`` go under every stage of their kind.

    Raises:
        SegadaptError: unknown keys, wrong values or dangling references, with their path.
    """
    raw = dict(raw)
    defaults = _defaults(raw.pop("defaults", None) or {}, title)
    problems: list[Problem] = []
    if isinstance(raw.get("stages"), dict):
        raw["stages"] = {
            key: _stage(key, stage, defaults, raw["stages"], title, problems)
            for key, stage in raw["stages"].items()
        }
    try:
        recipe = Recipe.model_validate(raw)
    except ValidationError as error:
        problems = [*found_in(error), *problems]
    if problems:
        raise SegadaptError(f"recipe {title}: {worded(problems)}")
    check_references(recipe, title)
    return recipe


def _defaults(defaults: Any, title: str) -> dict[str, Any]:
    if not isinstance(defaults, dict):
        raise SegadaptError(
            f"recipe {title}: defaults: must be a mapping from kinds of stages to their settings"
        )
    for kind, settings in defaults.items():
        try:
            STAGES.find(str(kind))
        except SegadaptError as error:
            problem = f"is no kind of stage; there are {', '.join(STAGES.names())}"
            if ":" in str(kind):
                problem = str(error)
            raise SegadaptError(f"recipe {title}: defaults.{kind}: {problem}") from error
        if not isinstance(settings, dict):
            raise SegadaptError(
                f"recipe {title}: defaults.{kind}: must be a mapping (it is {settings!r})"
            )
    return defaults


def _stage(
    key: Any,
    given: Any,
    defaults: Mapping[str, Any],
    stages: Mapping[Any, Any],
    title: str,
    problems: list[Problem],
) -> Any:
    """A stage of its kind; what is wrong about it is added to ``problems``, and it left as it is.

    A recipe's own validation would know of a stage only what all stages have.
    """
    if not isinstance(given, dict):
        return given
    if "stage" not in given:
        others = [name for name in stages if name != key]
        raise SegadaptError(
            f"recipe {title}: stages.{key}: does not say what it is (stage: train, say); "
            f"is its name right? There are {', '.join(map(str, others)) or 'no others'}"
        )
    kind = given["stage"]
    if not isinstance(kind, str):
        raise SegadaptError(
            f"recipe {title}: stages.{key}.stage: {kind!r} is no kind of stage; there are "
            f"{', '.join(STAGES.names())}"
        )
    try:
        section = STAGES.find(kind)
    except SegadaptError as error:
        raise SegadaptError(f"recipe {title}: stages.{key}: {error}") from error
    try:
        return section.model_validate(merge(defaults.get(kind, {}), given))
    except ValidationError as error:
        problems += found_in(error, f"stages.{key}")
        return Stage(stage=kind)


def merge(below: Any, above: Any) -> Any:
    """``above`` laid over ``below``; mappings are merged key by key.

    Settings of something that has a name (a method, an optimizer, a rule) are replaced as a whole
    by those of another name, which would not know them.
    """
    if isinstance(below, str) and isinstance(above, Mapping) and "name" not in above:
        below = {"name": below}  # a name alone, as in `method: advent`
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    merged = without_leftovers(below, above) if ROOMS.keys() & above.keys() else dict(below)
    for key, value in above.items():
        merged[key] = value if _is_another(below.get(key), value) else merge(below.get(key), value)
    return merged


def _is_another(below: Any, above: Any) -> bool:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return False
    return any(key in above and below.get(key) != above[key] for key in ("name", "rule", "stage"))


def _assign(raw: dict[str, Any], override: str) -> None:
    path, separator, text = override.partition("=")
    if not separator or not path:
        raise SegadaptError(f"--set {override}: must have the form a.b=value")
    value = read_yaml(text, f"--set {path}")
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
    if keys[-1] in ROOMS:
        kept = without_leftovers(place, {keys[-1]: value})
        for left in place.keys() - kept.keys():
            del place[left]
    place[keys[-1]] = value


class _PlainDumper(yaml.SafeDumper):
    """Writes short lists on one line, and what is shared as often as it occurs."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        return super().represent_sequence(tag, sequence, flow_style=True)
