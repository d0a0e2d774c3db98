"""Boxes of Cityscapes' instances, from pictures of 16 bits (``*_instanceIds.png``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segadapt.data.boxes.array import COLUMNS, require_size
from segadapt.data.class_map import ClassMap, map_ids
from segadapt.data.label_files import read_ids
from segadapt.data.paths import FilePath
from segadapt.losses.segmentation import IGNORE

FIRST = 1000
"""Ids from it on are instances, class * 1000 + number; those below are classes' ids."""
VOID = 65535
"""What -1 (a licence plate) is in 16 bits."""


def read_instances(
    path: FilePath, class_map: ClassMap, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Boxes (M, 6) of an image: the extent of each instance's pixels, sorted by instance id.

    Where things stand too close to be told apart, all of them have their class's plain id: a group.
    The extent of a class's groups is one box, which is ignored.

    Raises:
        SegadaptError: the file is missing or damaged, of another size than its image, or has a
            class that the map has not.
    """
    picture = read_ids(path)
    require_size(path, (picture.shape[0], picture.shape[1]), size)
    found = np.unique(picture)
    found = found[(found >= 0) & (found != VOID)]
    single = found >= FIRST
    classes = map_ids(np.where(single, found // FIRST, found), class_map, path)
    wanted = found[classes != IGNORE]
    if not len(wanted):
        return np.zeros((0, COLUMNS), np.float32)
    rows, columns = np.nonzero(np.isin(picture, wanted))
    owner = np.searchsorted(wanted, picture[rows, columns])
    edges = np.empty((len(wanted), 4), np.int64)
    edges[:, 0], edges[:, 1], edges[:, 2:] = picture.shape[1], picture.shape[0], 0
    np.minimum.at(edges[:, 0], owner, columns)
    np.minimum.at(edges[:, 1], owner, rows)
    np.maximum.at(edges[:, 2], owner, columns + 1)
    np.maximum.at(edges[:, 3], owner, rows + 1)
    kept = classes != IGNORE
    return np.column_stack([edges, classes[kept], ~single[kept]]).astype(np.float32)
