"""``classes.yaml``: the classes of somebody's own data, and how their label files store them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from segadapt.base.classes import ClassSet
from segadapt.base.errors import SegadaptError, shortened
from segadapt.base.section import Section, found_in
from segadapt.base.strict_yaml import read_yaml
from segadapt.data.class_map import ClassMap
from segadapt.data.paths import DataPath, read_small
from segadapt.losses.segmentation import IGNORE

Byte = Annotated[int, Field(ge=0, le=255)]
StoredId = Annotated[int, Field(ge=0, le=65535)]
"""Label files have up to 16 bits."""
BLACK = (0, 0, 0)


class FolderClass(Section):
    """One class of ``classes.yaml``. Without ids it does not occur in these label files."""

    name: str
    colour: tuple[Byte, Byte, Byte]
    ids: list[StoredId]
    rare: bool = False


class BoxClass(FolderClass):
    """One class of a ``classes.yaml`` of boxes, which may be stored by names, by ids, or both."""

    ids: list[StoredId] = Field(default_factory=list)
    names: list[str] | None = None
    """Stored names; its own name where not given."""


class FolderClasses(Section):
    """The whole of ``classes.yaml``."""

    classes: list[FolderClass] = Field(min_length=2, max_length=IGNORE)
    ignore: tuple[StoredId, ...] = (IGNORE,)
    ignore_colours: tuple[tuple[Byte, Byte, Byte], ...] = (BLACK,)
    """Of label files that hold colours; a class that has one of them goes first."""


class BoxClasses(Section):
    """The whole of a ``classes.yaml`` of boxes."""

    boxes: bool = True
    classes: list[BoxClass] = Field(min_length=1, max_length=IGNORE)
    ignore: tuple[StoredId, ...] = (IGNORE,)
    ignore_names: tuple[str, ...] = ()
    """Stored names of which the boxes are left out."""


Spec = TypeVar("Spec", FolderClasses, BoxClasses)


def read_class_file(root: DataPath) -> ClassMap:
    """The class map of ``root/classes.yaml``.

    Raises:
        SegadaptError: the file is missing or malformed, or two classes share a name or an id.
    """
    path = root / "classes.yaml"
    spec = _validated(path, FolderClasses)
    names, ids = _train_ids(spec, path)
    return ClassMap(_class_set(spec, names, root), ids, _by_colour(spec))


def read_box_class_file(root: DataPath) -> ClassMap:
    """The class map of boxes of ``root/classes.yaml``, by stored ids and by stored names.

    Raises:
        SegadaptError: the file is missing or malformed, says ``boxes: false``, or two classes share
            a name, a stored name or an id.
    """
    path = root / "classes.yaml"
    spec = _validated(path, BoxClasses)
    if not spec.boxes:
        raise SegadaptError(
            f"{path}: says 'boxes: false', and this data set has boxes; take that line out, or "
            "use dataset 'folder' for labels of pixels"
        )
    names, ids = _train_ids(spec, path)
    by_name = dict.fromkeys(spec.ignore_names, IGNORE)
    owners = dict.fromkeys(spec.ignore_names, "ignore_names")
    for train_id, item in enumerate(spec.classes):
        for stored in [item.name] if item.names is None else item.names:
            if stored in by_name:
                raise SegadaptError(
                    f"{path}: stored name {stored!r} is given twice, to {owners[stored]} and to "
                    f"{item.name}; each belongs to one class, or to ignore_names"
                )
            by_name[stored], owners[stored] = train_id, item.name
    classes = replace(_class_set(spec, names, root), boxes=True)
    return ClassMap(classes, ids, names=by_name)


def _class_set(spec: FolderClasses | BoxClasses, names: list[str], root: DataPath) -> ClassSet:
    return ClassSet(
        name=f"folder:{root.name}",
        names=tuple(names),
        colours=tuple(item.colour for item in spec.classes),
        rare=tuple(i for i, item in enumerate(spec.classes) if item.rare),
    )


def _train_ids(
    spec: FolderClasses | BoxClasses, path: DataPath
) -> tuple[list[str], dict[int, int]]:
    """Names of the classes, and train ids by stored id, where none is there twice."""
    names: dict[str, int] = {}
    owners = dict.fromkeys(spec.ignore, "ignore")
    ids = dict.fromkeys(spec.ignore, IGNORE)
    for train_id, item in enumerate(spec.classes):
        if item.name in names:
            raise SegadaptError(
                f"{path}: classes {names[item.name]} and {train_id} (counted from 0) are both "
                f"called {item.name!r}; rename one, or list the ids of both under one class"
            )
        names[item.name] = train_id
        for stored in item.ids:
            if stored in ids:
                raise SegadaptError(
                    f"{path}: id {stored} is given twice, to {owners[stored]} and to {item.name}; "
                    "each label id belongs to one class, or to ignore"
                    + (" (255, where ignore is not given)" if stored == IGNORE else "")
                )
            ids[stored] = train_id
            owners[stored] = item.name
    return list(names), ids


def _by_colour(spec: FolderClasses) -> dict[tuple[int, int, int], int]:
    """Train ids by colour; empty where two classes share one, so that colours say too little."""
    colours = [item.colour for item in spec.classes]
    if len(set(colours)) < len(colours):
        return {}
    return dict.fromkeys(spec.ignore_colours, IGNORE) | {c: i for i, c in enumerate(colours)}


def _validated(path: DataPath, spec: type[Spec]) -> Spec:
    try:
        text = read_small(path).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SegadaptError(
            f"{path}: is missing; it lists the names, colours and label ids of your classes "
            "(see docs/own-data.md)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SegadaptError(f"{path}: is not readable as text ({error})") from error
    values = read_yaml(text, str(path))
    if spec is FolderClasses and isinstance(values, dict) and values.get("boxes") is True:
        raise SegadaptError(
            f"{path}: says 'boxes: true', so it is read by the datasets 'coco', 'voc' and 'yolo'; "
            "name one of these, or take that line out where labels are of pixels"
        )
    try:
        return spec.model_validate(values)
    except ValidationError as error:
        problem = _first_problem(error, spec)
        raise SegadaptError(f"{path}: {problem} (see docs/own-data.md)") from error


def _first_problem(error: ValidationError, spec: type[FolderClasses] | type[BoxClasses]) -> str:
    pairs = list(zip(found_in(error), error.errors(), strict=True))
    # A key that is misspelt is missing, too: its name says more.
    (place, message, unknown), cause = next((x for x in pairs if x[0].unknown_key), pairs[0])
    if unknown:
        of_class = BoxClass if spec is BoxClasses else FolderClass
        parts = of_class if place.startswith("classes.") else spec
        message = f"unknown key; there are {', '.join(parts.model_fields)}"
    elif cause["type"] in ("list_type", "tuple_type"):
        message = f"must be a list, as [3] (it is {shortened(cause['input'])})"
    elif cause["type"] == "too_long" and place == "classes":
        message = f"at most {IGNORE} classes fit, as labels are bytes and {IGNORE} is void"
    return f"{place or 'the file'}: {message}"
