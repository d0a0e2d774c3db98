"""Finds the runs that folders hold, and joins those that differ by their seed alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segadapt.base.errors import SegadaptError
from segadapt.report.read import read_run
from segadapt.report.records import Evaluation, Run, Score
from segadapt.report.run_settings import complete_stages, settings_of


@dataclass(frozen=True)
class SeedRun:
    """One run; its seed and what it has not finished."""

    run: Run
    seed: int
    folder: str
    """As it was named, for sentences."""
    unfinished: list[str]
    """Stages of the recipe that are not finished, in order."""

    @property
    def stage_count(self) -> int:
        """Number of stages of the recipe."""
        return len(_expected(self.run))

    @property
    def told(self) -> str:
        """A sentence about an unfinished run, empty for a finished one."""
        if not self.unfinished:
            return ""
        done = self.stage_count - len(self.unfinished)
        return (
            f"{self.folder}: is not finished ({done} of {self.stage_count} stages); "
            "the scores that it has are shown"
        )


@dataclass(frozen=True)
class RunGroup:
    """Runs of one recipe with the same settings, a seed each, in the order of their seeds."""

    label: str
    runs: list[SeedRun]
    settings: Mapping[str, Any]

    @property
    def recipe(self) -> str:
        """The recipe's name."""
        return str(self.runs[0].run.info.get("recipe", ""))

    @property
    def seeds(self) -> list[int]:
        """The seeds in ascending order."""
        return [run.seed for run in self.runs]

    @property
    def seconds(self) -> float:
        """Time of all finished stages of all seeds."""
        return sum(stage.seconds or 0.0 for run in self.runs for stage in run.run.stages)

    def evaluations(self) -> dict[str, dict[int, list[Evaluation]]]:
        """Evaluations by domain and seed; a domain may have several, of different checkpoints."""
        found: dict[str, dict[int, list[Evaluation]]] = {}
        for run in self.runs:
            for evaluation in run.run.evaluations:
                if evaluation.scores:
                    by_seed = found.setdefault(evaluation.domain, {})
                    by_seed.setdefault(run.seed, []).append(evaluation)
        return found

    def scores(self, domain: str) -> dict[str, dict[int, Score]]:
        """Scores on a domain by checkpoint and seed, in the order they were written."""
        found: dict[str, dict[int, Score]] = {}
        for seed, evaluations in self.evaluations().get(domain, {}).items():
            for name, score in _named(evaluations):
                if score.value is not None:
                    found.setdefault(name, {})[seed] = score
        return found


def _named(evaluations: Sequence[Evaluation]) -> Iterator[tuple[str, Score]]:
    """Scores by checkpoint; one that is scored again is called by its evaluation too."""
    seen = set()
    for evaluation in evaluations:
        for score in evaluation.scores:
            again = score.checkpoint in seen
            yield (
                f"{score.checkpoint}, {evaluation.stage.name}" if again else score.checkpoint,
                score,
            )
            seen.add(score.checkpoint)


def find_groups(folders: Sequence[Path]) -> list[RunGroup]:
    """Read the runs in folders (runs themselves, or folders of runs) and join them by recipe.

    Runs belong together that have the same settings and precision and another seed each. A second
    run of a seed opens a group of its own: it is no further draw.

    Raises:
        SegadaptError: a folder holds no run, is there twice, or cannot be read.
    """
    runs = [_read(path) for path in _run_folders(folders)]
    complete = complete_stages([run.run for run in runs])
    groups: list[tuple[Mapping[str, Any], list[SeedRun]]] = []
    for run in runs:
        settings = settings_of(run.run, complete)
        for known, members in groups:
            if known == settings and run.seed not in (member.seed for member in members):
                members.append(run)
                break
        else:
            groups.append((settings, [run]))
    labels = _labels([members for _, members in groups])
    return [
        RunGroup(label, sorted(members, key=lambda run: run.seed), settings)
        for label, (settings, members) in zip(labels, groups, strict=True)
    ]


def _run_folders(folders: Sequence[Path]) -> list[Path]:
    found: dict[Path, Path] = {}
    for folder in folders:
        inside = _inside(folder)
        if not inside:
            reason = (
                "it has no run.json, nor has a folder in it" if folder.is_dir() else "no folder"
            )
            raise SegadaptError(
                f"{folder}: holds no run ({reason}); name folders of `segadapt run`"
            )
        for path in inside:
            real = path.resolve()
            if real in found:
                raise SegadaptError(f"{path}: is named twice; name every run once")
            found[real] = path
    return list(found.values())


def _inside(folder: Path) -> list[Path]:
    """The folder where it is a run, else the runs at any depth below it, in natural order.

    Hidden folders are left aside, and links: they show what lies elsewhere a second time.
    """
    if (folder / "run.json").is_file():
        return [folder]
    if not folder.is_dir():
        return []
    try:
        below = sorted(folder.iterdir(), key=lambda path: _natural(path.name))
    except OSError as error:
        raise SegadaptError(f"{folder}: cannot be read ({error.strerror})") from error
    hidden = [path for path in below if path.name.startswith(".") or path.is_symlink()]
    visible = [path for path in below if path.is_dir() and path not in hidden]
    return [run for path in visible for run in _inside(path)]


def _read(folder: Path) -> SeedRun:
    try:
        run = read_run(folder)
        seed = int(run.info["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SegadaptError(
            f"{folder}: cannot be read as a run ({type(error).__name__}: {error}); "
            "give the run's command again, or leave it out"
        ) from error
    finished = {stage.name for stage in run.stages if stage.finished}
    missing = [name for name in _expected(run) if name not in finished]
    return SeedRun(run, seed, str(folder), missing)


def _expected(run: Run) -> list[str]:
    """The stages of the recipe; of versions that recorded none, those that were begun."""
    return list(run.info.get("fingerprints") or [stage.name for stage in run.stages])


def _labels(groups: Sequence[Sequence[SeedRun]]) -> list[str]:
    """What tells groups apart: where their runs lie, below the folder that all share."""
    folders = [[str(run.run.directory.absolute()) for run in runs] for runs in groups]
    shared = os.path.commonpath([folder for group in folders for folder in group])
    labels = []
    for group in folders:
        own = os.path.relpath(os.path.commonpath(group), shared)
        names = sorted((os.path.relpath(folder, shared) for folder in group), key=_natural)
        # Where the runs of several groups lie side by side, no folder is a group's own.
        labels.append(own if own != "." else " … ".join(dict.fromkeys((names[0], names[-1]))))
    return labels


def _natural(name: str) -> tuple[int, str]:
    """Sorts seed-2 before seed-10."""
    return len(name), name
