"""Your own boxes as YOLO stores them: ROOT/images/SPLIT, ROOT/labels/SPLIT and ROOT/classes.yaml.

A text file with an image's name has a line ``class cx cy w h`` for each box, in shares of the
image's width and height. An image without such a file, or with an empty one, has no boxes. The YAML
file lists the classes in the order of their train ids, with the numbers that they have in the
files::

    boxes: true
    classes:
      - {name: vehicle, colour: [0, 0, 142], ids: [2, 5, 7]}
      - {name: person, colour: [220, 20, 60], ids: [0]}
    ignore: [9]
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segadapt.base.counted import counted
from segadapt.data.boxes.yolo import NoBoxes
from segadapt.data.class_file import read_box_class_file
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath
from segadapt.data.walk import files_below

DEFAULT_ROOT = "."

class_map = read_box_class_file


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, also in folders below it; no file of boxes is looked for."""
    images = find_images(root / "images" / split, left_out=left_out)
    labels = root / "labels" / split
    return [Sample(name, path, labels / f"{name}.txt") for name, path in images.items()]


def found_labels(
    root: DataPath, split: str, samples: list[Sample]
) -> tuple[list[Sample], list[str]]:
    """The samples, those without a file with an empty one, where the folder of files is there.

    What is told is how many these are, and which files belong to no image.
    """
    folder = root / "labels" / split
    if not folder.is_dir():
        return samples, []
    there = _names(folder)
    found, absent = [], []
    for sample in samples:
        if sample.name in there:
            found.append(sample)
            continue
        absent.append(sample.name)
        found.append(replace(sample, label=NoBoxes(folder / f"{sample.name}.txt")))
    told = []
    if absent:
        images = counted(len(absent), "image")
        told.append(
            f"{images} without a file in {folder}, taken for images without boxes, first "
            f"{absent[0]}.txt"
        )
    alone = sorted(there - {sample.name for sample in samples})
    if alone:
        told.append(
            f"{counted(len(alone), 'file')} of boxes in {folder} without an image, first "
            f"{alone[0]}.txt"
        )
    return found, told


def _names(folder: DataPath) -> set[str]:
    """Paths below the folder, without suffix, of its text files."""
    if not isinstance(folder, Path) and not folder.unpacked.is_dir():
        packed = [path.relative_to(folder) for path in folder.files()]
        return {path.with_suffix("").as_posix() for path in packed if path.suffix == ".txt"}
    place = folder if isinstance(folder, Path) else folder.unpacked
    paths = [path.relative_to(place) for path, _ in files_below(place)]
    return {path.with_suffix("").as_posix() for path in paths if path.suffix == ".txt"}
