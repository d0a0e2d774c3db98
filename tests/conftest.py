from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference", default=None, help="directory of recorded numbers for the golden tests"
    )
