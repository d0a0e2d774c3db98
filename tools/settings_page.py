"""Writes docs/settings.md: every setting of a recipe, from the sections and their docstrings.

    python tools/settings_page.py            writes the page
    python tools/settings_page.py --check    says whether it is up to date

Sections are asked to keep the docstrings of their settings before the modules that have them are
imported; the package itself does not, as reading them takes time.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter

from schema_words import heading, in_yaml, words
from segadapt.base.section import Section

Section.model_config["use_attribute_docstrings"] = True

from segadapt.base.parts import HEADS, METHODS, TRUNKS, Room  # noqa: E402
from segadapt.config import DomainConfig, ModelConfig, Recipe  # noqa: E402
from segadapt.config.stage import STAGES, Stage  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs/settings.md"
BEGINNING = """# All settings

<!-- Written by tools/settings_page.py from the sections' docstrings: change those. -->

A recipe is YAML: named domains, and stages that refer to them and to each other. `segadapt show
RECIPE` prints a recipe with every value that it has in the end, `--set
stages.advent.iterations=100` changes one for a run, `segadapt copy RECIPE FILE` gives a file to
edit. Settings that are not here are refused with their place.

Settings of a kind of stage that hold wherever a stage says nothing are given once, below
`defaults`; `based_on` names another recipe that a file changes. Where a table gives a mapping as
the default, what it leaves out has its own default.
"""
OF_STAGES = """`stage` says which kind a stage is: one of those below, or `package.module:Class`.
What stages leave is referred to as `NAME.OUTPUT`: `advent.checkpoint`, `rank.easy`."""
OF_NETWORKS = """`model` of a `train` stage names a trunk and a head, whose own settings, where they
have any, stand beside those of the model."""
OF_METHODS = """`method` of a `train` stage has the method's name and these settings: `method:
{name: minent, entropy_share: 0.3}`."""


def page() -> str:
    """The whole page."""
    shown: list[type[Section]] = [Stage]
    chapters = [
        ("The file", "", [("Recipe", Recipe), ("Domain", DomainConfig)]),
        ("Stages", OF_STAGES, [(name, STAGES.find(name)) for name in STAGES.names()]),
        (
            "Networks",
            OF_NETWORKS,
            [("Model", ModelConfig), *_parts("trunk", TRUNKS), *_parts("head", HEADS)],
        ),
        ("Methods", OF_METHODS, _parts("method", METHODS)),
    ]
    lines = [BEGINNING]
    for chapter, text, sections in chapters:
        lines.append(f"## {chapter}\n")
        lines += [f"{text}\n"] if text else []
        for title, section in sections:
            lines += _section(title, section)
            shown.append(section)
    lines.append("## Sections within others\n")
    rest = [x for section in shown for x in _inner(section)]
    for section in dict.fromkeys(rest):
        if section not in shown:
            lines += _section(heading(section.__name__), section)
    return "\n".join(lines).rstrip() + "\n"


def _parts(kind: str, room: Room) -> Iterator[tuple[str, type[Section]]]:
    """Parts that have settings of their own, those with the same ones together."""
    titles: dict[type[Section], list[str]] = {}
    for name in room.names():
        titles.setdefault(room.settings(name), []).append(name)
    for section, names in titles.items():
        if section.model_fields:
            yield f"{kind} {', '.join(names)}", section


def _section(title: str, section: type[Section]) -> Iterator[str]:
    yield f"### {title}\n"
    yield f"{_plain(inspect.getdoc(section) or '')}\n"
    schema = section.model_json_schema()
    schema = schema if "properties" in schema else schema["$defs"][section.__name__]
    yield "| setting | what it may be | default | |"
    yield "|---|---|---|---|"
    for key in section.model_fields:
        if key not in Stage.model_fields:
            kind = words(schema["properties"][key])
            yield f"| `{key}` | {kind} | {_default(section, key)} | {_said(section, key)} |"
    yield ""


def _default(section: type[Section], key: str) -> str:
    field = section.model_fields[key]
    if field.is_required():
        return "**needed**"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Section):
        own = set(type(default).model_fields)  # a model also holds those of its trunk and head
        given = default.model_dump(mode="json", exclude_unset=True, include=own)
        return f"`{in_yaml(given)}`" if given else "its defaults"
    return f"`{in_yaml(TypeAdapter(field.annotation).dump_python(default, mode='json'))}`"


def _said(section: type[Section], key: str) -> str:
    """A setting's docstring, or that of the section that it is."""
    field = section.model_fields[key]
    said = field.description
    if said is None:
        inner = next(iter(_sections_in(field.annotation)), None)
        said = (inspect.getdoc(inner) or "").partition("\n\n")[0] if inner else ""
    return _plain(said).replace("\n", " ").replace("|", "\\|")


def _plain(text: str) -> str:
    """Text of a docstring as Markdown."""
    return text.replace("``", "`")


def _inner(section: type[Section]) -> Iterator[type[Section]]:
    """Sections within a section, at any depth."""
    for field in section.model_fields.values():
        for inner in _sections_in(field.annotation):
            yield inner
            yield from _inner(inner)


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections_in(argument)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if PAGE.read_text() != page():
            sys.exit("docs/settings.md is not up to date; run `python tools/settings_page.py`")
    else:
        PAGE.write_text(page())
