"""Predictions in the ids that a data set stores, as benchmarks want them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.classes import ClassSet, class_difference
from segadapt.base.errors import SegadaptError
from segadapt.data.class_file import read_class_file
from segadapt.data.class_map import ClassMap
from segadapt.data.listing import dataset_names, dataset_reader


def stored_ids(name: str, classes: ClassSet) -> NDArray[np.uint16]:
    """The stored id of every train id.

    Args:
        name: of a data set (``cityscapes``), or a folder with ``classes.yaml``.
        classes: of the predictions.

    Raises:
        SegadaptError: there is no such data set, or none of its class maps has these classes, or a
            class has no stored id.
    """
    found = _fitting(name, classes)
    ids = []
    for train_id, title in enumerate(classes.names):
        stored = [i for i, t in found.ids.items() if t == train_id]
        if not stored:
            raise SegadaptError(f"--label-ids {name}: class {title!r} has no id there")
        # Where several ids became one class, the first is as good as any.
        ids.append(min(stored))
    return np.array(ids, np.uint16)


def named_classes(name: str, number: int) -> ClassSet:
    """The class set of a folder with ``classes.yaml``, or the one of ``number`` of a data set.

    Raises:
        SegadaptError: there is none.
    """
    maps = _class_maps("--classes-from", name)
    for found in maps.values():
        if len(found.classes.names) == number:
            return found.classes
    numbers = ", ".join(str(len(x.classes.names)) for x in maps.values())
    raise SegadaptError(
        f"--classes-from {name}: has {numbers} classes, and the checkpoint predicts {number}"
    )


def _class_maps(option: str, name: str) -> Mapping[str, ClassMap]:
    if Path(name).is_dir():
        return {name: read_class_file(Path(name))}
    known = [x for x in dataset_names() if hasattr(dataset_reader(x), "CLASS_MAPS")]
    if name in known:
        maps: Mapping[str, ClassMap] = dataset_reader(name).CLASS_MAPS
        return maps
    raise SegadaptError(
        f"{option} {name}: is neither a folder with classes.yaml nor a data set; there are "
        f"{', '.join(known)}"
    )


def _fitting(name: str, classes: ClassSet) -> ClassMap:
    maps = _class_maps("--label-ids", name)
    for found in maps.values():
        if found.classes.names == classes.names:
            return found
    first = next(iter(maps.values()))
    raise SegadaptError(
        f"--label-ids {name}: has other classes than the checkpoint: "
        f"{class_difference(first.classes, classes)}; leave --label-ids out to get train ids"
    )


def stored_picture(
    label: NDArray[np.uint8], ids: NDArray[np.uint16], classes: ClassSet
) -> Image.Image:
    """Train ids (height, width) as a picture of stored ids, in class colours where bytes do."""
    stored = ids[label]
    if ids.max() > 255:
        return Image.fromarray(stored)
    picture = Image.fromarray(stored.astype(np.uint8))
    palette = np.zeros((256, 3), np.uint8)
    palette[ids] = classes.colours
    picture.putpalette(palette.tobytes())
    return picture
