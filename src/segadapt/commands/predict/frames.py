"""Looks at a film, a stream or a camera, frame by frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track

from segadapt.base.errors import SegadaptError
from segadapt.commands.predict.ahead import Behind, ahead
from segadapt.commands.predict.films import Film, FilmWriter
from segadapt.commands.predict.looks import Frame, Looker, Looks, Seen, batches


def look_at_film(
    name: str, what: str, looker: Looker[Any], frame: Frame, most: int, out: Path, first: int
) -> Looks:
    """Have frames looked at; what is found over them is a film, all else is written of each.

    A stream ends when it is stopped, and the film of what was found till then can be shown.

    Args:
        name: of what is written.
        what: see :class:`Film`.
        looker: of segments or of boxes.
        frame: the sizes that are looked at.
        most: frames at a time.
        out: the folder that is written to.
        first: number of the first frame.
    """
    try:
        film = Film(what)
    except SegadaptError as error:
        return Looks(1, (str(error),))
    unread: list[str] = []
    number = 0
    folder = looker.film_folder
    shown = nullcontext() if folder is None else FilmWriter(out / folder / f"{name}.mp4", film.rate)

    def written(seen: Seen, found: Any) -> None:
        looker.write(seen, found, True)
        if writer is not None:
            writer.add(looker.picture(seen, found))

    with shown as writer, Behind(1) as behind:
        for batch in batches(_frames(film, name, frame, first, unread), most):
            for seen, found in zip(batch, looker.look(batch), strict=True):
                behind(partial(written, seen, found))
            number += len(batch)
    return Looks(number + len(unread), tuple(unread))


def _frames(film: Film, name: str, frame: Frame, first: int, unread: list[str]) -> Iterator[Seen]:
    """Frames as they are looked at; a sentence goes to ``unread`` where the film breaks off."""
    pixels = film.frames()

    def read(index: int) -> Seen | None:
        at = f"{name}/{index:06}"
        image = next(pixels, None)
        return None if image is None else frame.seen(first + index, at, at, image)

    # By one thread: frames come one after the other.
    coming = ahead((partial(read, index) for index in itertools.count()), 1)
    try:
        for seen in track(coming, name, film.length, transient=True):
            if seen is None:
                return
            yield seen
    except SegadaptError as error:
        unread.append(str(error))
