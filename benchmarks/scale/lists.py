"""What of a run grows with the number of images, and needs none of their pixels."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.scale.apart import Job
from benchmarks.scale.folder import names, split
from benchmarks.scale.recipe import (
    CLASSES,
    context_of,
    labels,
    leave_ranking,
    pixel_split,
    ranking,
)
from benchmarks.speed.networks import processes_on
from segadapt.artefacts import (
    LABELS_FILE,
    PIXEL_SPLIT_FILE,
    SPLIT_FILE,
    LabelSet,
    PixelSplit,
    Split,
)
from segadapt.base.digests import digests_of
from segadapt.data.domain import Domain
from segadapt.data.order import TrainingOrder
from segadapt.report import build_report
from segadapt.runs.origins import find_origins
from segadapt.stages.caching import room_for
from segadapt.stages.kept import FOLDER, Kept
from segadapt.stages.preflight import preflight


class Structure(NamedTuple):
    """Something that holds an entry for each image, or looks at each file once."""

    name: str
    what: str
    prepare: Callable[[Path, int], Job]


def _target(root: Path, number: int) -> Domain:
    return context_of(root, number).domain("target", labelled=False)


def _listing(root: Path, number: int) -> Job:
    context = context_of(root, number)
    return _keeping(lambda: context.domain("target", labelled=False))


def _origins(root: Path, number: int) -> Job:
    context = context_of(root, number)

    def job() -> None:
        find_origins(context)

    return job


def _preflight(root: Path, number: int) -> Job:
    context = context_of(root, number)
    return lambda: preflight(context, list(context.recipe.stages))


def _image_list(root: Path, number: int) -> Job:
    context = context_of(root, number)
    file = root / f"{split(number)}.txt"
    file.write_text("".join(f"{name}.jpg\n" for name in names(number)))
    config = context.recipe.domains["target"].model_copy(update={"list": str(file)})
    context.recipe.domains["target"] = config

    def job() -> None:
        context.domain("target", labelled=False)

    return job


def _saved(folder: Path, file: str, save: Callable[[Path], None]) -> Job:
    folder.mkdir(parents=True, exist_ok=True)

    def job() -> int:
        save(folder)
        return (folder / file).stat().st_size

    return job


def _split_saved(root: Path, number: int) -> Job:
    return _saved(root / "saved", SPLIT_FILE, ranking(number).save)


def _keeping(work: Callable[[], object]) -> Job:
    """What is made stays in memory until that is measured."""
    kept: list[object] = []
    return lambda: kept.append(work())


def _split_loaded(root: Path, number: int) -> Job:
    folder = leave_ranking(context_of(root, number), number)
    return _keeping(lambda: Split.load(folder))


def _part(root: Path, number: int) -> Job:
    context = context_of(root, number)
    leave_ranking(context, number)
    return _keeping(lambda: context.domain("rank.easy", labelled=False))


def _labels_saved(root: Path, number: int) -> Job:
    return _saved(root / "saved", LABELS_FILE, labels(number).save)


def _labels_loaded(root: Path, number: int) -> Job:
    labels(number).save(root / "saved")
    return _keeping(lambda: LabelSet.load(root / "saved"))


def _pixels_saved(root: Path, number: int) -> Job:
    return _saved(root / "saved", PIXEL_SPLIT_FILE, pixel_split(number).save)


def _pixels_loaded(root: Path, number: int) -> Job:
    pixel_split(number).save(root / "saved")
    return _keeping(lambda: PixelSplit.load(root / "saved"))


def _kept(root: Path, number: int, rows: Iterable[object]) -> Job:
    processes = processes_on("cpu")
    directory = root / "kept"
    (directory / FOLDER).mkdir(parents=True, exist_ok=True)
    file = directory / FOLDER / "0.jsonl"
    with file.open("w") as lines:
        lines.writelines(json.dumps([i, row]) + "\n" for i, row in enumerate(rows))
    size = file.stat().st_size

    def job() -> int:
        Kept(directory, processes)
        return size

    return job


def _kept_ranking(root: Path, number: int) -> Job:
    return _kept(root, number, _ranked(number))


def _kept_counts(root: Path, number: int) -> Job:
    return _kept(root, number, _counted(number))


def _ranked(number: int) -> Iterable[object]:
    return ([(i + 0.5) / number / 3, (i + 0.5) / number, [0, 1, 2, 8, 13]] for i in range(number))


def _counted(number: int) -> Iterable[object]:
    return ([27594 + i % 1000 for _ in CLASSES] for i in range(number))


def _told(root: Path, number: int) -> Job:
    values = dict(enumerate(_counted(number)))

    def job() -> int:
        packed = pickle.dumps(values)
        pickle.loads(packed)
        return len(packed)

    return job


def _order(root: Path, number: int) -> Job:
    order = TrainingOrder((number,), 8, 0, (0, 10), (0, 1), True, (1.0, 1.0), None)

    def job() -> None:
        for _ in order:
            pass

    return job


def _cache(root: Path, number: int) -> Job:
    context = context_of(root, number, cache=True)

    def job() -> None:
        room_for(context, list(context.recipe.stages))

    return job


def _digests(root: Path, number: int) -> Job:
    folder = root / "data/images" / split(number)

    def job() -> None:
        digests_of(folder)

    return job


def _report(root: Path, number: int) -> Job:
    context = context_of(root, number)
    leave_ranking(context, number)
    return lambda: build_report(context.directory).stat().st_size


def _worker(root: Path, number: int) -> Job:
    """Bytes that a forked process that decodes images has for itself after an epoch."""
    domain = _target(root, number)
    order = np.random.default_rng(0).permutation(number).tolist()

    def job() -> int:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            for index in order:
                domain.samples[index].image.stat()
            own = Path("/proc/self/smaps_rollup").read_text()
            dirty = next(x for x in own.splitlines() if x.startswith("Private_Dirty"))
            os.write(writing, dirty.split()[1].encode())
            os._exit(0)
        os.waitpid(child, 0)
        return int(os.read(reading, 64)) * 1024

    return job


STRUCTURES = (
    Structure("domain", "a domain without labels is listed", _listing),
    Structure("list", "the same, with a text file that names all of its images", _image_list),
    Structure("fingerprint", "listed, and every file's length and end looked at", _origins),
    Structure("preflight", "the recipe's four stages are checked", _preflight),
    Structure("cache room", "room for decoded images is counted", _cache),
    Structure("order", "the first 10 batches of 8 of a training's order", _order),
    Structure("split written", SPLIT_FILE, _split_saved),
    Structure("split read", SPLIT_FILE, _split_loaded),
    Structure("part", "rank.easy: split read, domain listed, easy part taken", _part),
    Structure("labels written", LABELS_FILE, _labels_saved),
    Structure("labels read", LABELS_FILE, _labels_loaded),
    Structure("pixels written", PIXEL_SPLIT_FILE, _pixels_saved),
    Structure("pixels read", PIXEL_SPLIT_FILE, _pixels_loaded),
    Structure("so far, ranking", "a stopped ranking goes on with all its lines", _kept_ranking),
    Structure("so far, labels", "a stopped pseudo_label goes on, 19 classes", _kept_counts),
    Structure("told", "what each process tells the others of its pseudo-labels", _told),
    Structure("digests", "names and lengths of a finished stage's labels", _digests),
    Structure("report", "report.html of a ranking", _report),
    Structure("decoding process", "its own memory after an epoch", _worker),
)
