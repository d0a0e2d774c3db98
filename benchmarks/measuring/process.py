"""A benchmark in a process of its own: one that fails, hangs or dies does not end the others."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from multiprocessing.connection import Connection

from benchmarks.measuring.contest import Benchmark, NotHere, Setting, measured
from benchmarks.measuring.record import Row
from segadapt.base.errors import SegadaptError, first_line

LIMIT = 900.0
"""Seconds after which a benchmark is taken for hanging."""
PRELOADED = ["torch", "benchmarks.measuring.contest", "benchmarks.speed.everything"]


def measured_apart(benchmark: Benchmark, setting: Setting, limit: float = LIMIT) -> Row:
    """Measure in a fresh process; a failure comes back as a row that tells it."""
    # From a server that has imported torch and computed nothing: a start takes no seconds, and
    # threads, memory and settings of one benchmark do not reach the next.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, benchmark, setting))
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            return benchmark.row((), f"not done within {limit:.0f} s")
        row: Row = receiver.recv()
        return row
    except EOFError:
        process.join()
        return benchmark.row((), _death(process.exitcode or 0))
    finally:
        process.terminate()
        process.join()


def _answer(sender: Connection, benchmark: Benchmark, setting: Setting) -> None:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            row = measured(benchmark, setting)
        except NotHere as error:
            row = benchmark.row((), str(error), left_out=True)
        except SegadaptError as error:
            row = benchmark.row((), str(error))
        except Exception as error:
            traceback.print_exc()  # for who mends it; the row has its last line
            row = benchmark.row((), f"{type(error).__name__}: {first_line(error)}")
    sender.send(row)


def _death(code: int) -> str:
    if code < 0:
        return f"its process died of {signal.Signals(-code).name}; is there enough memory?"
    return f"its process ended with code {code}"
