"""Segments pictures and films, or finds boxes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from segadapt.base.compute import Precision
from segadapt.base.errors import SegadaptError
from segadapt.commands.label_ids import stored_ids
from segadapt.commands.predict.boxes import Boxes
from segadapt.commands.predict.films import require_pyav
from segadapt.commands.predict.frames import look_at_film
from segadapt.commands.predict.inputs import inputs_of
from segadapt.commands.predict.looks import Frame, Looker
from segadapt.commands.predict.pictures import look_at_pictures
from segadapt.commands.predict.segments import USUAL, Kind, Segments
from segadapt.commands.predict.side_by_side import cores_apart, look_side_by_side
from segadapt.config import Views
from segadapt.engine.device import pick_device
from segadapt.engine.exported.read import require_free_size
from segadapt.engine.predict import Predictor, load

BATCH_ON_GPU = 8
"""Pictures at a time where no number is given."""


class Predicted(NamedTuple):
    """What was done."""

    images: int
    """Pictures and frames."""
    outputs: tuple[str, ...]
    """Folders and files that were written, below the one that was asked for."""
    unread: tuple[str, ...]
    """A sentence for each picture or film that could not be read."""


class Size(NamedTuple):
    """What ``--size`` says."""

    size: tuple[int, int] | None
    """(height, width) that pictures are looked at in; their own where None."""


def predict_files(
    checkpoint: Path,
    paths: Sequence[str],
    out: Path,
    *,
    family: str | None = None,
    device: str = "auto",
    precision: Precision = "32-true",
    with_: Mapping[Path, float] | None = None,
    views: Views | None = None,
    size: Size | None = None,
    kinds: Sequence[Kind] | None = None,
    label_ids: str | None = None,
    batch_size: int | None = None,
    workers: int = 2,
) -> Predicted:
    """Look at pictures and films, and write what is found below ``out``.

    Results have the pictures' names and their own sizes; folders keep their structure. Of a film
    the overlays are a film again, and all else is of its frames. The score maps of the checkpoints
    of ``with_`` are averaged, with their weights, with those of ``checkpoint``.

    Args:
        checkpoint: see :func:`segadapt.load`.
        paths: see :func:`inputs_of`.
        out: a folder.
        family: see :func:`segadapt.load`.
        device: see :func:`segadapt.load`.
        precision: of the network.
        with_: further checkpoints.
        views: scales, mirroring, windows.
        size: that pictures are looked at in; the one of the training where None.
        kinds: what a segmenter writes; labels and overlays where None.
        label_ids: a data set's name or a folder with ``classes.yaml``, whose ids label files hold.
        batch_size: pictures that go through the network together; where None 8 on a GPU, and on a
            CPU one for each core.
        workers: threads that read and threads that write, beside the network; 0 for none, one
            picture after the other.

    Raises:
        SegadaptError: a path or an option cannot be used, or nothing can be written. A picture that
            cannot be read is told at the end.
    """
    inputs = inputs_of(paths)
    for what in inputs.films.values():
        require_pyav(what)
    # One picture per core is the fastest on a CPU; several at a time only where they are asked for.
    wanted = batch_size is None and workers > 0 and len(inputs.pictures) > 1
    apart = wanted and pick_device(device) == "cpu"
    with cores_apart() if apart else nullcontext(0) as cores:
        predictor = load({checkpoint: 1.0, **(with_ or {})}, family, device, views, precision)
        if size is not None:
            for file in (checkpoint, *(with_ or ())):
                require_free_size(file, predictor.size, "--size")
        looker = _looker(predictor, out, kinds, label_ids)
        frame = Frame(predictor.size if size is None else size.size, predictor.scales)
        most = batch_size or (1 if pick_device(device) == "cpu" else BATCH_ON_GPU)
        looks = [
            look_side_by_side(inputs.pictures, looker, frame, cores)
            if apart
            else look_at_pictures(inputs.pictures, looker, frame, most, workers)
        ]
    for name, what in inputs.films.items():
        first = sum(x.number for x in looks)
        looks.append(look_at_film(name, what, looker, frame, most, out, first))
    looker.finish()
    unread = tuple(sentence for x in looks for sentence in x.unread)
    return Predicted(sum(x.number for x in looks) - len(unread), looker.outputs, unread)


def _looker(
    predictor: Predictor, out: Path, kinds: Sequence[Kind] | None, label_ids: str | None
) -> Looker[Any]:
    if not predictor.classes.boxes:
        ids = None if label_ids is None else stored_ids(label_ids, predictor.classes)
        return Segments(predictor, out, kinds or USUAL, ids)
    for option, value in (("--label-ids", label_ids), ("--write", kinds)):
        if value is not None:
            raise SegadaptError(
                f"{option}: is for pictures of class ids, and this checkpoint finds boxes; leave "
                "it out"
            )
    return Boxes(predictor, out)
