"""Looks at pictures: read ahead of the network, written behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from rich.progress import track

from segadapt.base.errors import SegadaptError
from segadapt.commands.predict.ahead import Behind, ahead
from segadapt.commands.predict.looks import Frame, Looker, Looks, Seen, batches
from segadapt.data.paths import DataPath
from segadapt.data.transforms import read_image


def look_at_pictures(
    pictures: Mapping[str, DataPath], looker: Looker[Any], frame: Frame, most: int, workers: int
) -> Looks:
    """Have pictures looked at, and what is found in them written.

    Args:
        pictures: by the names of what is written.
        looker: of segments or of boxes.
        frame: the sizes that are looked at.
        most: pictures at a time.
        workers: threads that read, and threads that write.
    """
    unread: list[str] = []
    with Behind(workers) as behind:
        for batch in batches(_read_all(pictures, frame, workers, unread), most):
            for seen, found in zip(batch, looker.look(batch), strict=True):
                behind(partial(looker.write, seen, found, False))
    return Looks(len(pictures), tuple(unread))


def _read_all(
    pictures: Mapping[str, DataPath], frame: Frame, workers: int, unread: list[str]
) -> Iterator[Seen]:
    """Those that can be read; a sentence for each other goes to ``unread``."""
    if not pictures:
        return
    tasks = readings(pictures, frame)
    for seen in track(ahead(tasks, workers), "predict", len(pictures), transient=True):
        if isinstance(seen, str):
            unread.append(seen)
        else:
            yield seen


def readings(pictures: Mapping[str, DataPath], frame: Frame) -> Iterator[partial[Seen | str]]:
    """For each picture a call that gives it as it is looked at, or a sentence where it cannot be
    read."""
    for number, (name, path) in enumerate(pictures.items()):
        yield partial(_read, frame, number, name, path)


def _read(frame: Frame, number: int, name: str, path: DataPath) -> Seen | str:
    try:
        original = read_image(path, None)
    except SegadaptError as error:
        return str(error)
    return frame.seen(number, name, name + PurePosixPath(path.name).suffix, original)
