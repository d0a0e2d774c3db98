"""What a tracker was told of a run already, so that whatever goes on tells nothing twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segadapt.artefacts import write_json

FOLDER = "tracking"
"""In a run's folder: what trackers keep there, and a file of each about what it was told."""


class Told:
    """``RUN/tracking/TRACKER.json``: the tracked run's id, and how far each file was followed."""

    def __init__(self, run: Path, tracker: str, fingerprints: Mapping[str, str]) -> None:
        """``fingerprints`` of the stages; where one was told of with another, all begins anew."""
        self._path = run / FOLDER / f"{tracker}.json"
        self._fingerprints = fingerprints
        self._stages: dict[str, dict[str, int]] = {}
        self.id = uuid.uuid4().hex[:12]
        found = _read(self._path)
        before = found.get("fingerprints")
        if before and all(fingerprints.get(stage) == of for stage, of in before.items()):
            self.id, self._stages = found["id"], found["stages"]

    def until(self, stage: str, file: str) -> int:
        """The last iteration in a stage's file that was told; -1 of one not told of."""
        return self._stages.get(stage, {}).get(file, -1)

    def note(self, stage: str, file: str, iteration: int) -> None:
        """It was told up to an iteration."""
        self._stages.setdefault(stage, {})[file] = iteration
        known = {name: self._fingerprints[name] for name in self._stages}
        write_json(self._path, {"id": self.id, "fingerprints": known, "stages": self._stages})


def forget_told(run: Path) -> None:
    """Stages are done again: whatever tracks the run from now on is another tracked run."""
    for path in (run / FOLDER).glob("*.json"):
        path.unlink()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
