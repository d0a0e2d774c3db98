from __future__ import annotations

import pytest
from hypothesis import settings

# Time limits per example would fail on busy machines.
settings.register_profile("segadapt", deadline=None)
settings.load_profile("segadapt")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference", default=None, help="directory of recorded numbers for the golden tests"
    )
