"""Your own images: ROOT/images/SPLIT, ROOT/labels/SPLIT, and ROOT/classes.yaml.

The YAML file lists the classes in the order of their train ids::

    classes:
      - {name: road, colour: [128, 64, 128], ids: [0, 7]}
      - {name: car,  colour: [0, 0, 142],    ids: [13], rare: true}
    ignore: [255]

``ids`` are the values stored in the label files. A domain without labels needs the file too, so
that its pictures have colours; the class lists of source and target must agree.
"""

from __future__ import annotations

from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError
from segadapt.base.section import Section
from segadapt.data.domain import ClassMap, Sample
from segadapt.data.listing import find_images
from segadapt.data.paths import DataPath

DEFAULT_ROOT = "."

Byte = Annotated[int, Field(ge=0, le=255)]


class FolderClass(Section):
    """One class of ``classes.yaml``."""

    name: str
    colour: tuple[Byte, Byte, Byte]
    ids: list[Byte] = Field(min_length=1)
    rare: bool = False


class FolderClasses(Section):
    """The whole of ``classes.yaml``."""

    classes: list[FolderClass] = Field(min_length=2)
    ignore: tuple[Byte, ...] = (255,)


def class_map(root: DataPath) -> ClassMap:
    """The class map of ``root/classes.yaml``.

    Raises:
        SegadaptError: the file is missing, malformed, or gives an id to two classes.
    """
    path = root / "classes.yaml"
    try:
        spec = FolderClasses.model_validate(yaml.safe_load(path.read_text()))
    except FileNotFoundError as error:
        raise SegadaptError(
            f"{path}: is missing; it lists the names, colours and label ids of your classes "
            "(see docs/own-data.md)"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SegadaptError(f"{path}: is not readable YAML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(x) for x in first["loc"])
        raise SegadaptError(f"{path}: {where}: {first['msg']} (see docs/own-data.md)") from error
    ids: dict[int, int] = {i: 255 for i in spec.ignore}
    for train_id, item in enumerate(spec.classes):
        for stored in item.ids:
            if stored in ids:
                raise SegadaptError(
                    f"{path}: id {stored} is given twice; each label id belongs to one class, or "
                    "to ignore"
                )
            ids[stored] = train_id
    classes = ClassSet(
        name=f"folder:{root.name}",
        names=tuple(item.name for item in spec.classes),
        colours=tuple(item.colour for item in spec.classes),
        rare=tuple(i for i, item in enumerate(spec.classes) if item.rare),
    )
    return ClassMap(classes, ids)


def samples(root: DataPath, split: str) -> list[Sample]:
    """Images of ``split``, also in folders below it; labels have the same name and end in .png."""
    images = find_images(root / "images" / split)
    labels = root / "labels" / split
    return [Sample(name, path, labels / f"{name}.png") for name, path in images.items()]
