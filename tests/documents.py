"""Code blocks of the documents, and the files that they say they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


class Block(NamedTuple):
    """A fenced block of a document."""

    document: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that its first line names in a comment, if it does."""
        found = re.match(r"# (\S+\.(?:py|yaml))\n", self.text)
        return found[1] if found else None


def blocks() -> list[Block]:
    """All fenced blocks."""
    found = []
    for path in DOCUMENTS:
        name = path.relative_to(ROOT).as_posix()
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```", path.read_text(), re.S | re.M):
            found.append(Block(name, language, text))
    return found


def commands() -> list[tuple[str, str]]:
    """Lines of indented blocks that are commands of ours, with their documents."""
    found = []
    for path in DOCUMENTS:
        for line in path.read_text().splitlines():
            command = re.match(r"    (segadapt .*?)(?: {2,}#.*)?$", line)
            if command:
                found.append((path.relative_to(ROOT).as_posix(), command[1].strip()))
    return found


def write_own_parts(folder: Path) -> list[str]:
    """Write the files of one's own that the documents show; their names."""
    files = [block for block in blocks() if block.file and block.file.startswith("own")]
    for block in files:
        assert block.file is not None
        (folder / block.file).write_text(block.text)
    return sorted(str(block.file) for block in files)
