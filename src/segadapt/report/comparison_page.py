"""The page of a comparison: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from segadapt.base.errors import SegadaptError
from segadapt.report import comparison_view
from segadapt.report.comparison import ComparedEvaluation
from segadapt.report.page import environment, in_utf8
from segadapt.report.run_groups import RunGroup

_MOST_BYTES = 8_000_000
_PICTURE_WIDTHS = (640, 480, 320, 240, 160, 96)


def write_comparison(
    groups: Sequence[RunGroup], evaluations: Sequence[ComparedEvaluation], output: Path
) -> None:
    """Write the page; pictures are shrunk until it is below 8 MB.

    Raises:
        SegadaptError: it cannot be written.
    """
    template = environment().get_template("comparison.html.j2")
    own_style = files(__package__).joinpath("comparison.css").read_text(encoding="utf-8")
    html = ""
    for width in _PICTURE_WIDTHS:
        variables = comparison_view.page(groups, evaluations, width)
        html = in_utf8(template.render(own_style=Markup(own_style), **variables))
        if len(html.encode("utf-8")) < _MOST_BYTES:
            break
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(html, encoding="utf-8")
    except OSError as error:
        raise SegadaptError(f"--out {output}: cannot be written ({error.strerror})") from error
