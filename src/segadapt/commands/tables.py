"""Per-class scores as text tables: CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from segadapt.base.errors import SegadaptError


def score_table(result: dict[str, Any]) -> list[list[str]]:
    """Rows of a table: classes, then mIoU, the subsets' mIoU and pixel accuracy, in per cent.

    Of boxes it is AP50 of the classes, then its mean, AP75 and mAP.

    Args:
        result: scores as ``evaluate --json`` writes them.

    Returns:
        A header and one row per class and mean; an absent class has an empty cell.
    """
    scores: list[dict[str, Any]] = result["scores"]
    titles = [f"{s['checkpoint']} (oracle)" if s["oracle"] else s["checkpoint"] for s in scores]
    rows = [["class", *titles]]
    boxes = result.get("measure") == "AP50"
    key, value, measure = ("class_ap50", "ap50", "AP50") if boxes else ("iou", "miou", "mIoU")
    for i, name in enumerate(result["classes"]):
        rows.append([name, *(_percent(s[key][i]) for s in scores)])
    over = _scored([s[key] for s in scores])
    rows.append([f"{measure} of {over}", *(_percent(s[value]) for s in scores)])
    if boxes:
        rows.append(["AP75", *(_percent(s["ap75"]) for s in scores)])
        rows.append(["mAP", *(_percent(s["map"]) for s in scores)])
        return rows
    for subset in scores[0]["subsets"]:
        rows.append([f"mIoU of {subset}", *(_percent(s["subsets"][subset]) for s in scores)])
    rows.append(["pixel accuracy", *(_percent(s["pixel_accuracy"]) for s in scores)])
    return rows


def _scored(scores: Sequence[Sequence[float | None]]) -> str:
    """Over how many classes the mean is; models may differ, where one predicts an absent class."""
    numbers = sorted({sum(x is not None and x == x for x in row) for row in scores})
    return " or ".join(str(number) for number in numbers)


def print_scores(result: dict[str, Any]) -> None:
    """Show the table on the terminal, with the rule for absent classes."""
    header, *body = score_table(result)
    table = Table(title=result["domain"], caption=result["absent_rule"])
    for column, title in enumerate(header):
        table.add_column(title, justify="right" if column else "left")
    for place, row in enumerate(body):
        means = place - len(result["classes"])
        table.add_row(
            *(cell or "–" for cell in row),
            style="bold" if means == 0 else None,
            end_section=means == -1,
        )
    Console().print(table)


def _percent(value: float | None) -> str:
    return "" if value is None or value != value else f"{100 * value:.1f}"


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Comma-separated values."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def markdown_text(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers flush right."""
    header, *body = rows
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *body]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def latex_text(rows: Sequence[Sequence[str]]) -> str:
    """A LaTeX ``tabular`` in the style of the booktabs package."""
    header, *body = [[_escaped(cell) for cell in row] for row in rows]
    lines = [f"\\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}", "\\toprule"]
    lines += [" & ".join(header) + " \\\\", "\\midrule"]
    lines += [" & ".join(row) + " \\\\" for row in body]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text


WRITERS: dict[str, Callable[[Sequence[Sequence[str]]], str]] = {
    ".csv": csv_text,
    ".md": markdown_text,
    ".tex": latex_text,
}


def require_known_suffix(path: Path) -> None:
    """Raise SegadaptError where a table file's suffix names no format."""
    if path.suffix not in WRITERS:
        raise SegadaptError(f"--table {path}: must end in one of {', '.join(WRITERS)}")


def write_table(path: Path, result: dict[str, Any]) -> None:
    """Write the scores in the form that the file's suffix names.

    Raises:
        SegadaptError: unknown suffix, or the file cannot be written.
    """
    require_known_suffix(path)
    try:
        path.write_text(WRITERS[path.suffix](score_table(result)))
    except OSError as error:
        raise SegadaptError(f"--table {path}: cannot be written ({error.strerror})") from error
