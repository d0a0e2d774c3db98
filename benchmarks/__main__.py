"""Ours beside what users would run instead: a table, a record, and a page of all records.

python -m benchmarks              # all, in the history and its page
python -m benchmarks --quick      # all in small; prints, keeps nothing
python -m benchmarks --page       # the page alone, from the records that there are
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.measuring import history
from benchmarks.measuring.contest import Benchmark, Setting
from benchmarks.measuring.machine import commit, load, machine, now, versions
from benchmarks.measuring.page import page
from benchmarks.measuring.process import measured_apart
from benchmarks.measuring.record import Record
from benchmarks.measuring.table import markdown, progress
from benchmarks.speed.everything import BENCHMARKS
from segadapt.base.errors import SegadaptError

FORMS = {
    "whole": Setting(scale=1.0, trunk="resnet101", rounds=5),
    "quick": Setting(scale=0.4, trunk="resnet18", rounds=3),
}
HERE = Path(__file__).parent
HISTORY, PAGE = HERE / "history", HERE / "history.html"


def main() -> int:
    """Measure, print, and keep; 1 where a benchmark failed, never for its time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="small images, three rounds")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="of all benchmarks")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--note", default="", help="what else there is to know: 'busy machine'")
    parser.add_argument("--keep", type=Path, help="folder of the record; history/ of a whole run")
    parser.add_argument("--page", action="store_true", help="write the page, measure nothing")
    given = parser.parse_args()
    try:
        chosen = _chosen(given.only)
        if not given.page:
            form = "quick" if given.quick else "whole"
            return _measure(chosen, form, given.device, given.note, given.keep)
        _write_page(given.keep or HISTORY)
    except SegadaptError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _chosen(names: list[str]) -> list[Benchmark]:
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    for name in names:
        if name not in known:
            raise SegadaptError(f"--only {name}: there is no such benchmark; {', '.join(known)}")
    return [known[name] for name in names or known]


def _measure(chosen: list[Benchmark], form: str, device: str, note: str, keep: Path | None) -> int:
    base = FORMS[form]
    setting = Setting(base.scale, base.trunk, base.rounds, device)
    date, busy, measured_commit = now(), load(), commit()
    rows = []
    for benchmark in chosen:
        rows.append(measured_apart(benchmark, setting))
        print(progress(rows[-1]), file=sys.stderr, flush=True)
    record = Record(
        date=date,
        form=form,
        scale=setting.scale,
        trunk=setting.trunk,
        note=note,
        load=busy,
        machine=machine(device),
        commit=measured_commit,
        versions=versions(),
        rows=tuple(rows),
    )
    print(markdown(record))
    # A part of the benchmarks is for a look, not for the history, unless one says so.
    whole = form == "whole" and len(chosen) == len(BENCHMARKS)
    folder = keep or (HISTORY if whole else None)
    if folder is not None:
        path = history.save(record, folder)
        path.with_suffix(".md").write_text(markdown(record), encoding="utf-8")
        print(path)
        _write_page(folder)
    return int(any(row.failure is not None and not row.left_out for row in rows))


def _write_page(folder: Path) -> None:
    path = PAGE if folder == HISTORY else folder / "history.html"
    path.write_text(page(history.read(folder)), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
