"""Records as files, one for each call."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from benchmarks.measuring.record import Record
from segadapt.base.errors import SegadaptError, first_line


def save(record: Record, folder: Path) -> Path:
    """Write a record into ``folder``; named by date and commit, so that none replaces another."""
    folder.mkdir(parents=True, exist_ok=True)
    moment = record.date.replace(":", "").partition("+")[0]
    path = folder / f"{moment}-{record.commit.name}.json"
    path.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path) -> list[Record]:
    """All records of ``folder``, in the order of their commits, then of their dates.

    Raises:
        SegadaptError: a file is no record.
    """
    return sorted(
        (_read_one(path) for path in folder.glob("*.json")),
        key=lambda record: (record.commit.date, record.date),
    )


def _read_one(path: Path) -> Record:
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ValidationError) as error:
        raise SegadaptError(
            f"{path}: is no record of benchmarks ({first_line(error)}); mend it or remove it"
        ) from error
