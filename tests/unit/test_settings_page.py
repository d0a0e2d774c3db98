"""The page of all settings says what the sections say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from segadapt.base.parts import HEADS, METHODS, TRUNKS
from segadapt.config.stage import STAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/settings.md").read_text()


def test_page_is_what_would_be_written_now() -> None:
    command = [sys.executable, "tools/settings_page.py", "--check"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "row",
    [
        "| `limit` | whole number > 0 or `null` | `null` | Use the first so many images only. |",
        "| `flip` | `true`, `false` | `false` | Mirror images at random. |",
        "| `lambda_ent` | [LevelWeights](#levelweights) | `{main: 0.001, aux: 0.0002}` "
        "| Of the entropy on the target. |",
    ],
)
def test_row_has_kind_default_and_docstring(row: str) -> None:
    assert row in PAGE.splitlines()


def test_every_setting_of_every_part_is_there() -> None:
    written = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
    sections = [STAGES.find(name) for name in STAGES.names()]
    sections += [room.settings(name) for room in (TRUNKS, HEADS, METHODS) for name in room.names()]
    for section in sections:
        assert set(section.model_fields) - {"stage"} <= written, section


def test_links_lead_to_headings() -> None:
    headings = {title.lower() for title in re.findall(r"^##+ (.*)$", PAGE, re.M)}
    assert set(re.findall(r"\(#([^)]*)\)", PAGE)) <= headings


def test_every_setting_is_explained() -> None:
    bare = re.findall(r"^\| `(\w+)` .*\|  \|$", PAGE, re.M)
    assert set(bare) <= {"rule", "name"}, "write a docstring below these settings"
