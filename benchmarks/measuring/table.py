"""A record as Markdown."""

from __future__ import annotations

from benchmarks.measuring.record import Record, Row, Unit

HEADER = (
    "| benchmark | ours | rival | times as fast | lowest to highest |\n|---|---:|---:|---:|---:|"
)


def markdown(record: Record) -> str:
    """Where it was measured, in lines, and the table."""
    lines = [*facts(record), "", HEADER, *(_row(row) for row in record.rows)]
    lines += ["", *(f"* **{row.name}**: {row.sentence} {against(row)}" for row in record.rows)]
    return "\n".join(lines) + "\n"


def facts(record: Record) -> list[str]:
    """Where and when, in lines."""
    made = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    rounds = max((len(row.rounds) for row in record.rows), default=0)
    lines = [
        f"{record.machine.name}, {record.machine.threads} threads of torch, load {record.load:g} "
        "at the start",
        made,
        f"commit {record.commit.shown}, measured {record.date}, {record.form} form, "
        f"{rounds} rounds of both by turns",
        f"sizes below times {record.scale:g}, training steps with {record.trunk}",
    ]
    return [*lines, record.note] if record.note else lines


def progress(row: Row) -> str:
    """One line for who waits."""
    if row.failure is not None:
        return f"{row.name}: {row.told}"
    low, high = row.spread
    return f"{row.name}: {row.ratio:.2f} times as fast ({low:.2f} to {high:.2f})"


def against(row: Row) -> str:
    """What is compared, in words."""
    return f"Ours: {row.ours}. Rival: {row.rival}."


def shown(seconds: float, unit: Unit) -> str:
    """A speed: seconds for a step, images in a second."""
    if unit == "step":
        return f"{seconds:.3g} s/step" if seconds >= 1 else f"{1000 * seconds:.3g} ms/step"
    per = "" if unit == "image" else " a core"
    return f"{1 / seconds:.3g} images/s{per}"


def _row(row: Row) -> str:
    if row.failure is not None:
        told = row.told.replace("|", "\\|")
        return f"| {row.name} | {told} | | | |"
    ours, rival = (shown(seconds, row.unit) for seconds in row.seconds)
    low, high = row.spread
    return f"| {row.name} | {ours} | {rival} | **{row.ratio:.2f}** | {low:.2f} to {high:.2f} |"
