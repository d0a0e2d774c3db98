"""Digests of what a finished stage left, so that nothing else is taken for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

OTHERS = "other files"
"""Key of the digest of names and sizes of the files that have no digest of their own."""
READ = (".json", ".safetensors")
"""Files that later stages and reports read as a whole."""
NOT_RESULTS = ("manifest.json", "started.json", "metrics.jsonl", "state.pt")
"""What the run itself keeps beside the results."""
FOLDERS_APART = ("tensorboard",)


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a stage's folder by name; of pictures, which are many, of their list.

    Raises:
        OSError: a file cannot be read.
    """
    found, listing = {}, hashlib.sha256()
    for path in _results(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix in READ and path.is_file():
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            listing.update(f"{name}\0{path.stat().st_size}\0".encode(errors="surrogateescape"))
    return {**found, OTHERS: listing.hexdigest()}


def changed(folder: Path, recorded: Mapping[str, str]) -> str | None:
    """The first file of a stage's folder that is not as it was left; None where all are.

    Args:
        folder: of the stage.
        recorded: as :func:`digests_of` gave it when the stage was finished.
    """
    try:
        found = digests_of(folder)
    except OSError as error:
        return Path(error.filename or folder).name
    for name in sorted(found.keys() | recorded.keys(), key=lambda x: x == OTHERS):
        if found.get(name) != recorded.get(name):
            return name
    return None


def _results(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder):
        place = Path(name)
        folders[:] = sorted(x for x in folders if place != folder or x not in FOLDERS_APART)
        for file in sorted(files):
            if (place == folder and file in NOT_RESULTS) or file.endswith(".partial"):
                continue
            yield place / file
