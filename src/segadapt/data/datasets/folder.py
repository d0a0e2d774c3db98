"""Your own images: ROOT/images/SPLIT, ROOT/labels/SPLIT, and ROOT/classes.yaml.

The YAML file lists the classes in the order of their train ids::

    classes:
      - {name: road, colour: [128, 64, 128], ids: [0, 7]}
      - {name: car,  colour: [0, 0, 142],    ids: [13], rare: true}
    ignore: [255]

``ids`` are the values stored in the label files, none (``[]``) for a class that they lack. Label
files that hold the classes' colours are read too, see :mod:`segadapt.data.label_files`. A domain
without labels needs the file too, so that its pictures have colours; the class lists of source and
target must agree.
"""

from __future__ import annotations

from segadapt.data.class_file import read_class_file
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

class_map = read_class_file


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, also in folders below it.

    Labels have the same name and end in .png; others are found by :mod:`segadapt.data.labels`.
    """
    images = find_images(root / "images" / split, left_out=left_out)
    labels = label_folder(root, split)
    return [Sample(name, path, labels / f"{name}.png") for name, path in images.items()]


def label_folder(root: DataPath, split: str) -> DataPath:
    """The folder that holds the labels of ``split`` and nothing else."""
    return root / "labels" / split
