"""Your own images: ROOT/images/SPLIT, ROOT/labels/SPLIT, and ROOT/classes.yaml.

The YAML file lists the classes in the order of their train ids::

    classes:
      - {name: road, colour: [128, 64, 128], ids: [0, 7]}
      - {name: car,  colour: [0, 0, 142],    ids: [13], rare: true}
    ignore: [255]

``ids`` are the values stored in the label files, none (``[]``) for a class that they lack. A domain
without labels needs the file too, so that its pictures have colours; the class lists of source and
target must agree.
"""

from __future__ import annotations

from segadapt.data.class_file import read_class_file
from segadapt.data.domain import Sample
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

class_map = read_class_file


def samples(root: DataPath, split: str) -> list[Sample]:
    """Images of ``split``, also in folders below it; labels have the same name and end in .png."""
    images = find_images(root / "images" / split)
    labels = root / "labels" / split
    return [Sample(name, path, labels / f"{name}.png") for name, path in images.items()]
