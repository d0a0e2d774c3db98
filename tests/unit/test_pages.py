"""The documents can be read, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segadapt.config.load import recipe_names

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs/reproduce").glob("*.md")))
def test_lines_are_short_enough_to_read(page: Path) -> None:
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        assert len(line) <= (180 if line.startswith("|") else 130), number


def test_every_published_recipe_has_its_row() -> None:
    page = (ROOT / "docs/reproduce/recipes.md").read_text()
    for name in recipe_names():
        pair, _, rest = name.partition("/")
        if "cityscapes" in pair:
            last = rest.rpartition("/")[2]
            continued = re.search(rf"\.\.\.[_/]?\w*{last.rpartition('_')[2]}`", page)
            assert f"`{name}`" in page or continued, name
