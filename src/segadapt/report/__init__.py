"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path

from segadapt.report import view
from segadapt.report.page import environment, in_utf8
from segadapt.report.read import read_run

__all__ = ["build_report"]

_MOST_BYTES = 8_000_000
_PICTURE_WIDTHS = (640, 480, 320, 240, 160, 96)


def build_report(run_directory: Path, output: Path | None = None) -> Path:
    """Write the report of the run in `run_directory` and return its path.

    The page needs no other file and no network. It may be built while the run is going on: it
    then shows the stages finished so far. Pictures are shrunk until the page is below 8 MB.
    """
    run_directory = Path(run_directory)
    output = run_directory / "report.html" if output is None else Path(output)
    run = read_run(run_directory)
    template = environment().get_template("template.html.j2")
    html = ""
    for width in _PICTURE_WIDTHS:
        html = in_utf8(template.render(view.page(run, width)))
        if len(html.encode("utf-8")) < _MOST_BYTES:
            break
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8")
    return output
