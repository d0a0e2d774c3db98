"""Which folders of a run hold results of the recipe that was run there last."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from segadapt.base.digests import OTHERS, changed
from segadapt.base.errors import SegadaptError

FOLDER = re.compile(r"^(\d+)-(.+)$")


class StageFolder(NamedTuple):
    """A folder of a stage; its manifest where the stage is finished."""

    number: int
    name: str
    path: Path
    manifest: Mapping[str, Any] | None


class Belonging(NamedTuple):
    """What belongs to a run, in the order of its stages, and sentences about what does not."""

    folders: list[StageFolder]
    told: list[str]


def belonging(directory: Path) -> Belonging:
    """Sort the folders of a run; nothing of one that does not belong is to be shown or scored.

    A folder belongs whose stage is one of the run's, by number, name, fingerprint and the digests
    of its files. Runs of versions that recorded none are taken as they are.

    Raises:
        SegadaptError: ``run.json`` is damaged.
    """
    expected = _expected(directory)
    kept, told = [], []
    folders = [(m, p) for p in directory.iterdir() if (m := FOLDER.match(p.name)) and p.is_dir()]
    for match, path in sorted(folders, key=lambda x: (int(x[0][1]), x[0][2])):
        number, name = int(match[1]), match[2]
        manifest, problem = _manifest(path)
        if expected is not None and list(expected)[number - 1 : number] != [name]:
            problem = "is of no stage of the recipe that was run here last"
        elif problem is None and manifest is not None:
            problem = _misfit(path, name, manifest, expected)
        if problem is None:
            kept.append(StageFolder(number, name, path, manifest))
        else:
            told.append(f"{path.name}: {problem}; it is left out")
    return Belonging(kept, told)


def read_object(path: Path, advice: str) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        SegadaptError: it cannot be read, or holds something else; ``advice`` says what to do.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found:
            return found
        reason = "it holds no object, or an empty one"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
    raise SegadaptError(f"{path}: is damaged ({reason}); {advice}")


def _expected(directory: Path) -> dict[str, str] | None:
    """Fingerprints by stage, in order, where the run recorded them."""
    path = directory / "run.json"
    if not path.is_file():
        return None
    info = read_object(path, "give the run's command again, which writes it anew")
    found = info.get("fingerprints")
    return found if isinstance(found, dict) and found else None


def _manifest(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    file = path / "manifest.json"
    if not file.exists():
        return None, None
    name = path.name.partition("-")[2]
    try:
        return read_object(file, f"do the stage again with --redo {name}"), None
    except SegadaptError as error:
        return None, str(error).removeprefix(f"{path}/")


def _misfit(
    path: Path, name: str, manifest: Mapping[str, Any], expected: Mapping[str, str] | None
) -> str | None:
    if expected is not None and manifest.get("fingerprint") != expected.get(name):
        return "comes from other settings or data than the recipe that was run here last"
    recorded = manifest.get("files")
    if not isinstance(recorded, dict):
        return None  # of a version that recorded none
    different = changed(path, recorded)
    if different is None:
        return None
    what = "its pictures are" if different == OTHERS else f"{different} is"
    return f"{what} not as the stage left it; do the stage again with --redo {name}"
