"""``--redo``: results that are made again, once, however often the command is stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from segadapt.artefacts import write_json
from segadapt.runs.origins import Origin, with_dependents
from segadapt.stages.context import StageContext
from segadapt.tracking.told import forget_told

REDO_FILE = "redo.json"
"""Says what was removed to be made again, until it is."""


def to_remove(context: StageContext, redo: str, origins: Mapping[str, Origin]) -> set[str]:
    """The stages whose results are to go: none where the same command has removed them before.

    Raises:
        SegadaptError: ``redo`` is no stage.
    """
    again = with_dependents(context, redo)
    return set() if _noted(context.directory) == _note(redo, again, origins) else again


def remove(
    context: StageContext, redo: str, again: set[str], origins: Mapping[str, Origin]
) -> None:
    """Remove the results, and note it: whoever stops now goes on with the same command."""
    for name in again:
        shutil.rmtree(context.stage_directory(name), ignore_errors=True)
    forget_told(context.directory)
    write_json(context.directory / REDO_FILE, _note(redo, again, origins))


def forget(directory: Path) -> None:
    """All is made again: the next ``--redo`` is another one."""
    (directory / REDO_FILE).unlink(missing_ok=True)


def _note(redo: str, again: set[str], origins: Mapping[str, Origin]) -> dict[str, object]:
    return {"stage": redo, "fingerprints": {name: origins[name].fingerprint for name in again}}


def _noted(directory: Path) -> object:
    try:
        return json.loads((directory / REDO_FILE).read_text())
    except (OSError, ValueError):
        return None
