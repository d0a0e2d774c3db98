"""``python -m benchmarks``: its statistics, records and page, and benchmarks that fail."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.measuring import history
from benchmarks.measuring.contest import Benchmark, Contest, NotHere, Setting, measured
from benchmarks.measuring.page import groups, page
from benchmarks.measuring.process import measured_apart
from benchmarks.measuring.record import Commit, Machine, Record, Row
from benchmarks.measuring.table import markdown
from benchmarks.speed.everything import BENCHMARKS
from segadapt.base.errors import SegadaptError

TINY = Setting(scale=0.1, trunk="squeezenet1_0", rounds=1)


def row(*rounds: tuple[float, float], name: str = "step", failure: str | None = None) -> Row:
    return Row(
        name=name,
        sentence="A step.",
        ours="ours",
        rival="a <plain> loop",
        unit="step",
        rounds=rounds,
        failure=failure,
    )


def record(
    *rows: Row, commit: str = "aaaaaaaaa", made: int = 1, on: str = "CPU", form: str = "whole"
) -> Record:
    return Record(
        date=f"2026-12-{made:02}T10:00:00+00:00",
        form=form,
        scale=1.0,
        trunk="resnet101",
        note="",
        load=0.0,
        machine=Machine(cpu=on, cores=2, threads=2),
        commit=Commit(name=commit, date=f"2026-11-{made:02}T10:00:00+00:00", changed=False),
        versions={"torch": "2.15.0"},
        rows=rows,
    )


# Statistics --------------------------------------------------------------------------------------


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """Not the ratio of the medians, which is 3: a busy moment slows both turns of its round."""
    found = row((1.0, 2.0), (10.0, 15.0), (2.0, 9.0), (1.0, 3.0), (4.0, 4.0))
    assert found.ratios == (2.0, 1.5, 4.5, 3.0, 1.0)
    assert found.ratio == 2.0
    assert found.spread == (1.0, 4.5)
    assert found.seconds == (2.0, 4.0)


def test_both_take_turns_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []

    @contextmanager
    def prepare(setting: Setting) -> Iterator[Contest]:
        def rival() -> None:
            calls.append("rival")
            time.sleep(0.02)

        yield Contest(lambda: calls.append("ours"), rival, things=2)

    rounds = measured(Benchmark("n", "s.", "o", "r", "step", prepare), Setting(1, "", 3)).rounds
    assert calls == ["ours", "rival", "rival", "ours", "ours", "rival", "rival", "ours"]
    assert len(rounds) == 3
    assert all(rival >= 0.01 > ours for ours, rival in rounds)  # seconds for one of two things


def test_sizes_are_multiples_of_32_and_not_too_small() -> None:
    assert Setting(0.5, "", 1).size(512, 1024) == (256, 512)
    assert Setting(0.5, "", 1).size(180, 320) == (96, 160)
    assert Setting(0.1, "", 1).size(128, 256) == (64, 64)


# Records -----------------------------------------------------------------------------------------


def test_records_are_read_in_the_order_of_their_commits(tmp_path: Path) -> None:
    later, earlier = record(row((1.0, 2.0)), made=2), record(row((1.0, 3.0)), made=1)
    for one in (later, earlier):
        history.save(one, tmp_path)
    assert history.read(tmp_path) == [earlier, later]


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"rows": []}')
    with pytest.raises(SegadaptError, match=r"odd\.json: is no record of benchmarks"):
        history.read(tmp_path)


def test_table_has_speeds_ratio_and_spread_or_the_failure() -> None:
    text = markdown(
        record(row((0.5, 1.0), (0.5, 2.0), (0.5, 1.5)), row(name="other", failure="no|"))
    )
    assert "| step | 500 ms/step | 1.5 s/step | **3.00** | 2.00 to 4.00 |" in text
    assert "| other | failed: no\\| | | | |" in text
    assert "CPU, 2 cores, 2 threads of torch, load 0 at the start" in text
    assert "torch 2.15.0" in text and "commit aaaaaaaaa" in text


# The page ----------------------------------------------------------------------------------------


def test_page_shows_the_latest_table_first_and_a_chart_for_each_benchmark() -> None:
    records = [
        record(row((1.0, 1.25)), row((1.0, 0.5), name="gone"), commit="aaaaaaaaa", made=1),
        record(row((1.0, 2.5)), row(name="new", failure="<broken>"), commit="bbbbbbbbb", made=2),
    ]
    text = page(records)
    assert text.index("<b>2.50</b>") < text.index("<b>1.25</b>")
    assert "1 of 1 faster than the rival, 0 slower, 1 failed" in text
    assert "failed: &lt;broken&gt;" in text and "<broken>" not in text
    # A benchmark that is no more keeps its course; one that never worked has none.
    assert [panel.name for panel in groups(records)[0].panels] == ["step", "gone"]
    assert "bbbbbbbbb, 2026-12-02: 2.50 (2.50 to 2.50)" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_machines_and_forms_are_not_mixed() -> None:
    records = [
        record(row((1.0, 2.0)), made=1),
        record(row((1.0, 2.0)), made=2, on="another"),
        record(row((1.0, 2.0)), made=3, form="quick"),
    ]
    found = [(group.machine, group.form) for group in groups(records)]
    assert found == [
        ("CPU, 2 cores", "quick"),
        ("another, 2 cores", "whole"),
        ("CPU, 2 cores", "whole"),
    ]


def test_page_without_records_says_how_to_make_some() -> None:
    assert "python -m benchmarks" in page([])


# Processes ---------------------------------------------------------------------------------------


@contextmanager
def failing(setting: Setting) -> Iterator[Contest]:
    raise ValueError("no such thing\nmore")
    yield


@contextmanager
def unfit(setting: Setting) -> Iterator[Contest]:
    raise NotHere("has no such instructions")
    yield


@contextmanager
def dying(setting: Setting) -> Iterator[Contest]:
    yield Contest(lambda: os.kill(os.getpid(), 9), lambda: None)


@contextmanager
def hanging(setting: Setting) -> Iterator[Contest]:
    yield Contest(lambda: time.sleep(600), lambda: None)


def test_a_failing_a_dying_and_a_hanging_benchmark_are_told_as_rows() -> None:
    told = {
        prepare.__name__: measured_apart(
            Benchmark("n", "s.", "o", "r", "step", prepare), TINY, limit=limit
        ).told
        for prepare, limit in ((failing, 200.0), (unfit, 200.0), (dying, 200.0), (hanging, 1.0))
    }
    assert told["failing"] == "failed: ValueError: no such thing"
    assert told["unfit"] == "left out: has no such instructions"
    assert "SIGKILL" in told["dying"]
    assert told["hanging"] == "failed: not done within 1 s"


QUICK = ("minent-step", "loading")


@pytest.mark.parametrize(
    "benchmark",
    [
        pytest.param(x, id=x.name, marks=[] if x.name in QUICK else [pytest.mark.slow])
        for x in BENCHMARKS
    ],
)
def test_every_benchmark_measures_something(benchmark: Benchmark) -> None:
    found = measured_apart(benchmark, TINY)
    if found.left_out:
        pytest.skip(found.told)
    assert found.failure is None
    assert found.ratio > 0
