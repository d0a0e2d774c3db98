"""Tables for a terminal of 80 columns; plain text where there is none."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDTH = 80


def narrow_console() -> Console:
    """The standard output, in at most 80 columns."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(WIDTH, console.width)
    return console


def narrow_table(*titles: str, numbers_from: int | None = None) -> Table:
    """A table without lines; columns from ``numbers_from`` on are flush right."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, title in enumerate(titles):
        right = numbers_from is not None and place >= numbers_from
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    return table
