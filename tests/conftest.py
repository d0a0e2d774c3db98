from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# Time limits per example would fail on busy machines.
settings.register_profile("segadapt", deadline=None)
settings.load_profile("segadapt")

# Shells start background jobs, and so may whatever runs these tests, with Ctrl-C ignored, which
# children inherit; commands that tests stop with it would go on.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference", default=None, help="directory of recorded numbers for the golden tests"
    )
