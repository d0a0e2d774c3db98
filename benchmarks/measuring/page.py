"""All records as one page: the latest table, then the course of each ratio by machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.measuring.chart import Point, interval, over_commits
from benchmarks.measuring.record import Record, Row
from benchmarks.measuring.table import facts, shown

REACH = 2.0
"""Least factor to either side that the table's scale shows."""


class Panel(NamedTuple):
    """One benchmark on one machine."""

    name: str
    rival: str
    chart: Markup


class Group(NamedTuple):
    """Records whose numbers may be set side by side."""

    machine: str
    form: str
    records: tuple[Record, ...]

    @property
    def panels(self) -> list[Panel]:
        """A chart for each benchmark that was ever measured here, the latest's order first."""
        latest = {row.name: row for record in self.records for row in record.rows}
        order = {row.name: row for row in self.records[-1].rows} | latest
        found = [(row, self._points(row.name)) for row in order.values()]
        return [
            Panel(row.name, row.rival, over_commits(points, self.commits, row.name))
            for row, points in found
            if points
        ]

    @property
    def commits(self) -> list[str]:
        """Each once, in their order."""
        return list(dict.fromkeys(record.commit.shown for record in self.records))

    def _points(self, name: str) -> list[Point]:
        return [
            Point(
                self.commits.index(record.commit.shown),
                row.ratio,
                *row.spread,
                f"{record.commit.shown}, {record.date[:10]}: {row.ratio:.2f} "
                f"({row.spread[0]:.2f} to {row.spread[1]:.2f})",
            )
            for record in self.records
            for row in record.rows
            if row.name == name and row.rounds
        ]


def page(records: Sequence[Record]) -> str:
    """The page, with everything in it.

    Args:
        records: in the order of their commits; see :func:`benchmarks.measuring.history.read`.
    """
    newest_first = sorted(records, key=lambda record: record.date, reverse=True)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(speed=shown, facts=facts, reach=_reach, tally=_tally)
    environment.globals.update(
        style=Markup(files("segadapt.report").joinpath("style.css").read_text(encoding="utf-8")),
        interval=interval,
    )
    template = environment.get_template("page.html.j2")
    return template.render(records=newest_first, groups=groups(records))


def groups(records: Sequence[Record]) -> list[Group]:
    """Records by machine and form; the group of the latest record is the first."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record.machine.name, record.form), []).append(record)
    made = [Group(*key, tuple(members)) for key, members in found.items()]
    return sorted(made, key=lambda group: max(x.date for x in group.records), reverse=True)


def _measured(record: Record) -> list[Row]:
    return [row for row in record.rows if row.rounds]


def _reach(record: Record) -> float:
    """How far the scale of a table goes to either side."""
    ends = [end for row in _measured(record) for end in row.spread]
    return max(REACH, *(max(end, 1 / end) for end in ends)) if ends else REACH


def _tally(record: Record) -> str:
    """How it stands, in a sentence; a spread that holds 1 decides nothing."""
    rows = _measured(record)
    faster = sum(row.spread[0] > 1 for row in rows)
    slower = sum(row.spread[1] < 1 for row in rows)
    told = f"{faster} of {len(rows)} faster than the rival, {slower} slower"
    failed = sum(row.failure is not None and not row.left_out for row in record.rows)
    return f"{told}, {failed} failed" if failed else told
