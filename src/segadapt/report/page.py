"""The templates' environment: escaping, number formats, style sheet and script."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from segadapt.report import spreads, wording


def environment() -> Environment:
    """Jinja's environment for the pages of this package."""
    here = files(__package__)
    found = Environment(
        loader=PackageLoader("segadapt.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.globals.update(
        style=Markup(here.joinpath("style.css").read_text(encoding="utf-8")),
        script=Markup(here.joinpath("compare.js").read_text(encoding="utf-8")),
    )
    found.filters.update(
        shown=wording.display_name,
        percent=wording.percent,
        whole_percent=wording.whole_percent,
        gain=wording.gain,
        duration=wording.duration,
        points=spreads.points,
        percents=spreads.percents,
        is_clear=spreads.is_clear,
    )
    return found


def in_utf8(page: str) -> str:
    """A page in which bytes of names that are no UTF-8 stand as escapes."""
    return page.encode("utf-8", errors="backslashreplace").decode("utf-8")
