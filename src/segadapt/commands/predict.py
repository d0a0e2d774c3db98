"""Segments image files, or finds boxes in them: the ``predict`` verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.progress import track

from segadapt.base.errors import SegadaptError, printable
from segadapt.base.pictures import entropy_picture, label_picture, overlay_picture
from segadapt.commands.label_ids import stored_ids, stored_picture
from segadapt.commands.predict_boxes import FILE, PICTURES, predict_boxes
from segadapt.config import Views
from segadapt.data.left_out import IMAGE_SUFFIXES, LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath
from segadapt.data.transforms import read_image
from segadapt.engine.predict import load


class Predicted(NamedTuple):
    """What was done."""

    images: int
    outputs: tuple[str, ...]
    """Folders and files that were written, below the one that was asked for."""


def predict_files(
    checkpoint: Path,
    paths: Sequence[Path],
    out: Path,
    family: str | None = None,
    device: str = "auto",
    with_: Mapping[Path, float] | None = None,
    views: Views | None = None,
    label_ids: str | None = None,
) -> Predicted:
    """Predict images and write ``labels/``, ``overlays/`` and ``entropy/`` below ``out``.

    Label files hold class ids in a palette of class colours. All results are PNG files with the
    images' names, at the images' own sizes; folders keep their structure. The score maps of
    the checkpoints of ``with_`` are averaged, with their weights, with those of ``checkpoint``.
    With ``label_ids``, a data set's name or a folder with ``classes.yaml``, label files hold the
    ids that this data set stores. Of a detector see :func:`predict_boxes`.

    Raises:
        SegadaptError: a path is no image and no folder of images, nothing can be written, or an
            option has no meaning for boxes.
    """
    images = _images(paths)
    predictor = load({checkpoint: 1.0, **(with_ or {})}, family, device, views)
    if predictor.classes.boxes:
        if label_ids is not None:
            raise SegadaptError(
                f"--label-ids {label_ids}: is for pictures of class ids, and this checkpoint finds "
                "boxes, whose classes have names; leave it out"
            )
        predict_boxes(predictor, images, out)
        return Predicted(len(images), (FILE, PICTURES))
    ids = None if label_ids is None else stored_ids(label_ids, predictor.classes)
    for name, path in track(images.items(), description="predict", transient=True):
        image = read_image(path, None)
        prediction = predictor.predict(image)
        pictures = {
            "labels": label_picture(prediction.label, predictor.classes)
            if ids is None
            else stored_picture(prediction.label, ids, predictor.classes),
            "overlays": overlay_picture(image, prediction.label, predictor.classes),
            "entropy": entropy_picture(prediction.entropy),
        }
        for kind, picture in pictures.items():
            target = out / kind / f"{name}.png"
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                picture.save(target)
            except OSError as error:
                raise SegadaptError(
                    f"{target}: cannot be written ({error}); what was written before stays"
                ) from error
    return Predicted(len(images), ("labels", "overlays", "entropy"))


def _images(paths: Sequence[Path]) -> dict[str, DataPath]:
    found: dict[str, DataPath] = {}
    for path in paths:
        if path.is_dir():
            left_out = LeftOut()
            new = find_images(path, left_out=left_out)
            for sentence in left_out.sentences():
                print(f"warning: {printable(f'{path}: {sentence}')}", flush=True)
        elif path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
            new = {path.stem: path}
        else:
            raise SegadaptError(
                f"{path}: {_what(path)}; give a folder or an image file "
                f"({', '.join(sorted(IMAGE_SUFFIXES))})"
            )
        twice = sorted(found.keys() & new.keys())
        if twice:
            raise SegadaptError(
                f"{new[twice[0]]}: {found[twice[0]]} would be written to the same file; predict "
                "them with different --out"
            )
        found |= new
    if not found:
        raise SegadaptError(f"{', '.join(str(p) for p in paths)}: no images there")
    return found


def _what(path: Path) -> str:
    return "is not an image file" if path.is_file() else "there is no such file or folder"
