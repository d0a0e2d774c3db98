"""Your own boxes as COCO stores them: ROOT/images/SPLIT (or ROOT/SPLIT) and ROOT/classes.yaml.

The boxes are in ROOT/annotations/SPLIT.json or instances_SPLIT.json, which must be unpacked where
the images are in an archive. The YAML file lists the classes in the order of their train ids, with
the names of the categories that they are made of::

    boxes: true
    classes:
      - {name: vehicle, colour: [0, 0, 142], names: [car, bus, truck]}
      - {name: person, colour: [220, 20, 60]}
    ignore_names: [traffic light]

Without ``names`` a class is the category of its own name. Boxes of what ``ignore_names`` lists are
left out; a name that is in neither is an error. Crowds are neither learned from nor counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segadapt.base.counted import counted
from segadapt.data.boxes.coco import CocoPath, coco_file
from segadapt.data.class_file import read_box_class_file
from segadapt.data.domain import Sample
from segadapt.data.left_out import LeftOut
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

class_map = read_box_class_file


def samples(root: DataPath, split: str, left_out: LeftOut | None = None) -> list[Sample]:
    """Images of ``split``, also in folders below it; of their annotations no file is looked for."""
    folder = root / "images" / split
    if not folder.is_dir() and (root / split).is_dir():
        folder = root / split
    file = _annotations(root, f"{split}.json")
    return [
        Sample(name, path, CocoPath(file, f"{name}{path.suffix}"))
        for name, path in find_images(folder, left_out=left_out).items()
    ]


def found_labels(
    root: DataPath, split: str, samples: list[Sample]
) -> tuple[list[Sample], list[str]]:
    """The samples with the file of annotations that is there, and what it lists beside these.

    Raises:
        SegadaptError: the file is malformed.
    """
    file = _annotations(root, f"{split}.json")
    other = _annotations(root, f"instances_{split}.json")
    if not file.is_file() and other.is_file():
        file = other
    labels = [CocoPath(file, s.label.image) for s in samples if isinstance(s.label, CocoPath)]
    found = [replace(s, label=label) for s, label in zip(samples, labels, strict=True)]
    if not file.is_file():
        return found, []
    content = coco_file(file)
    shown = {listed.name for x in labels if (listed := content.find(x.image)) is not None}
    absent = sorted(content.images.keys() - shown)
    if not absent:
        return found, []
    return found, [
        f"{file} lists {counted(len(absent), 'image')} that the split's folder has not, first "
        f"{absent[0]}"
    ]


def _annotations(root: DataPath, name: str) -> Path:
    file = root / "annotations" / name
    return file if isinstance(file, Path) else file.unpacked
