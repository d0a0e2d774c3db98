"""Golden tests: the numbers recorded from the released programs, read from a directory.

Every size, salt and file name comes from the JSON files, so that ``--reference DIR`` may name any
directory of the same form (see ``reference/README.md``).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PORTABLE = Path(__file__).parent / "reference"


def reference_directories(config: pytest.Config) -> list[Path]:
    chosen = config.getoption("--reference")
    if chosen:
        return [Path(chosen)]
    found = [PORTABLE]
    data = os.environ.get("SEGADAPT_DATA")
    if data and (Path(data).parent / "reference" / "advent_steps.json").is_file():
        found.append(Path(data).parent / "reference")
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "reference" in metafunc.fixturenames:
        directories = reference_directories(metafunc.config)
        metafunc.parametrize("reference", directories, ids=[d.name for d in directories])


HEAVY = ("test_training_steps_agree_with_the_released_program", "test_entropy_ranking")
"""By default these are compared with the small numbers that the repository has."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        beside = given.get("reference", PORTABLE) != PORTABLE
        if beside and getattr(item, "originalname", "") in HEAVY:
            item.add_marker(pytest.mark.slow)
