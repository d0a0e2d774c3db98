"""What stored label ids, and colours, mean in a class set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segadapt.base.classes import ClassSet, Colour
from segadapt.base.errors import SegadaptError
from segadapt.data.paths import FilePath
from segadapt.losses.segmentation import IGNORE

VOID = 65535
"""What label files of 16 bits have where others have 255; ignored, unless it is a class's id."""


class UnknownIds(SegadaptError):
    """A label file holds ids, colours, or names that have no place in the class map."""


@dataclass(frozen=True)
class ClassMap:
    """What the stored label ids of a dataset mean in a class set.

    Attributes:
        classes: the class set.
        ids: train id by stored id; 255 to be ignored. Any id outside it is an error.
        colours: train id by RGB colour, for label files that hold colours; empty where they do not.
        names: train id by stored class name, for boxes that are stored with names.
    """

    classes: ClassSet
    ids: Mapping[int, int]
    colours: Mapping[Colour, int] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)

    def table(self) -> NDArray[np.int16]:
        """Train id by stored id, from 0 to 255 or the largest there is; -1 where there is none."""
        table = np.full(max([256, *(stored + 1 for stored in self.ids)]), -1, dtype=np.int16)
        for stored, train in self.ids.items():
            table[stored] = train
        return table


def map_ids(ids: NDArray[np.integer], class_map: ClassMap, path: FilePath) -> NDArray[np.uint8]:
    """Stored ids -> train ids (255 to be ignored).

    Raises:
        UnknownIds: an id has no place in the map.
    """
    table = class_map.table()
    if ids.dtype == np.uint8:
        found = _mapped_bytes(ids, table)
        if found is not None:
            return found
    inside = (ids >= 0) & (ids < len(table))
    mapped = table[np.where(inside, ids, 0)]
    unknown = ~inside | (mapped < 0)
    if unknown.any():
        void = unknown & (np.asarray(ids) == VOID)
        mapped, unknown = np.where(void, IGNORE, mapped), unknown & ~void
    if unknown.any():
        found = np.unique(np.asarray(ids)[unknown]).tolist()
        raise UnknownIds(
            f"{path}: label id {', '.join(str(x) for x in found[:5])} is not in the class map "
            f"{class_map.classes.name!r}, which knows {_ranges(sorted(class_map.ids))}; correct "
            f"the file, or add the id to the map ({IGNORE} to ignore it)"
        )
    return mapped.astype(np.uint8)


def _mapped_bytes(ids: NDArray[np.integer], table: NDArray[np.int16]) -> NDArray[np.uint8] | None:
    """Train ids of ids of 8 bits in one look-up; None where one is unknown."""
    stored = bytearray(np.ascontiguousarray(ids).data)
    known = np.flatnonzero(table[:256] >= 0).astype(np.uint8).tobytes()
    if stored.translate(None, known):  # what remains without those that are known
        return None
    train = stored.translate(table[:256].astype(np.uint8).tobytes())
    return np.frombuffer(train, np.uint8).reshape(ids.shape)


def map_name(name: str, class_map: ClassMap, path: FilePath) -> int:
    """Train id of a stored class name; 255 to be ignored.

    Raises:
        UnknownIds: the name has no place in the map.
    """
    if name not in class_map.names:
        raise UnknownIds(
            f"{path}: class {name!r:.80} is not in the class map {class_map.classes.name!r}, which "
            f"knows {', '.join(sorted(class_map.names)) or 'no names'}; correct the file, or add "
            f"the name to the map ({IGNORE} to leave its boxes out)"
        )
    return class_map.names[name]


def _ranges(ids: Sequence[int]) -> str:
    parts: list[list[int]] = []
    for value in ids:
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in parts)
