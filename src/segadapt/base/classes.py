"""Class sets: the names, colours and rare classes that labels, scores and pictures share."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from typing import Any

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassSet:
    """An ordered list of classes; the position in it is the train id.

    Attributes:
        name: what the set is called in recipes.
        names: class names.
        colours: one RGB colour per class, 0..255.
        rare: ids of the classes that IntraDA's normalisation counts as rare.
        subsets: further scores by name: mIoU over these ids only (16- and 13-class protocols).
        whole_image: an image has one label, as a digit has, and not one for each pixel.
        boxes: an image has boxes, and not a label for each pixel.
    """

    name: str
    names: tuple[str, ...]
    colours: tuple[Colour, ...]
    rare: tuple[int, ...] = ()
    subsets: dict[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    whole_image: bool = False
    boxes: bool = False

    def __post_init__(self) -> None:
        if len(self.names) != len(self.colours):
            raise ValueError(f"{len(self.names)} class names but {len(self.colours)} colours")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ClassSet:
        """Inverse of :func:`dataclasses.asdict`, also after a round through JSON.

        Raises:
            ValueError, TypeError, KeyError: they are no class set's, as of a file of somebody's.
        """
        names = tuple(values["names"])
        found = cls(
            name=str(values["name"]),
            names=names,
            colours=tuple((int(r), int(g), int(b)) for r, g, b in values["colours"]),
            rare=tuple(int(i) for i in values["rare"]),
            subsets={str(k): tuple(int(i) for i in v) for k, v in dict(values["subsets"]).items()},
            whole_image=bool(values.get("whole_image", False)),
            boxes=bool(values.get("boxes", False)),
        )
        named = all(isinstance(name, str) and name for name in names)
        if not named or len(set(names)) < len(names):
            raise ValueError(f"its classes are called {names!r:.80}")
        if found.whole_image and found.boxes:
            raise ValueError("its images have one label, and boxes, which is not both to be had")
        if not all(0 <= part <= 255 for colour in found.colours for part in colour):
            raise ValueError("a colour of its classes is none")
        ids = [*found.rare, *(i for subset in found.subsets.values() for i in subset)]
        if not all(0 <= i < len(names) for i in ids):
            raise ValueError("it speaks of classes that it has not")
        return found


def class_difference(first: ClassSet, second: ClassSet) -> str:
    """How the names of two class sets differ, in a few words, where they do.

    The first class that stands elsewhere, or those that one of them alone has.
    """
    only_first = [x for x in first.names if x not in second.names]
    only_second = [x for x in second.names if x not in first.names]
    if not only_first and not only_second and len(first.names) == len(second.names):
        at = next(
            i for i, (a, b) in enumerate(zip(first.names, second.names, strict=True)) if a != b
        )
        return (
            f"they are in another order: class {at} (counted from 0) is {first.names[at]!r} in the "
            f"one and {second.names[at]!r} in the other"
        )
    alone = ((only_first, "the first"), (only_second, "the second"))
    parts = [f"{_listed(names)} in {which} alone" for names, which in alone if names]
    return ", ".join(parts) or "one of them has a name twice"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(x) for x in names[:3]) + more


CITYSCAPES_19 = ClassSet(
    name="cityscapes19",
    names=(
        "road",
        "sidewalk",
        "building",
        "wall",
        "fence",
        "pole",
        "traffic light",
        "traffic sign",
        "vegetation",
        "terrain",
        "sky",
        "person",
        "rider",
        "car",
        "truck",
        "bus",
        "train",
        "motorcycle",
        "bicycle",
    ),
    colours=(
        (128, 64, 128),
        (244, 35, 232),
        (70, 70, 70),
        (102, 102, 156),
        (190, 153, 153),
        (153, 153, 153),
        (250, 170, 30),
        (220, 220, 0),
        (107, 142, 35),
        (152, 251, 152),
        (70, 130, 180),
        (220, 20, 60),
        (255, 0, 0),
        (0, 0, 142),
        (0, 0, 70),
        (0, 60, 100),
        (0, 80, 100),
        (0, 0, 230),
        (119, 11, 32),
    ),
    # IntraDA, Sec. 4.2
    rare=(3, 4, 5, 6, 7, 9, 12, 14, 15, 16, 17),
    # SYNTHIA has 16 of the classes; the 13-class score leaves out wall, fence and pole as well.
    subsets={
        "16": (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18),
        "13": (0, 1, 2, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18),
    },
)

_SIXTEEN = CITYSCAPES_19.subsets["16"]
CITYSCAPES_16 = ClassSet(
    name="cityscapes16",
    names=tuple(CITYSCAPES_19.names[i] for i in _SIXTEEN),
    colours=tuple(CITYSCAPES_19.colours[i] for i in _SIXTEEN),
    rare=tuple(place for place, i in enumerate(_SIXTEEN) if i in CITYSCAPES_19.rare),
    subsets={
        "13": tuple(p for p, i in enumerate(_SIXTEEN) if i in CITYSCAPES_19.subsets["13"]),
    },
)
"""The classes that SYNTHIA and Cityscapes share, without gaps."""

CAMVID_11 = ClassSet(
    name="camvid11",
    names=(
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    ),
    colours=(
        (70, 130, 180),
        (70, 70, 70),
        (153, 153, 153),
        (128, 64, 128),
        (244, 35, 232),
        (107, 142, 35),
        (220, 220, 0),
        (190, 153, 153),
        (0, 0, 142),
        (220, 20, 60),
        (119, 11, 32),
    ),
    rare=(2, 6, 7, 9, 10),
)

STREET_7 = ClassSet(
    name="street7",
    names=(
        "drivable",
        "non-drivable",
        "living things",
        "vehicles",
        "roadside objects",
        "far objects",
        "sky",
    ),
    colours=(
        (128, 64, 128),
        (244, 35, 232),
        (220, 20, 60),
        (0, 0, 142),
        (220, 200, 0),
        (107, 142, 35),
        (70, 130, 180),
    ),
    # Data sets draw the line of non-drivable ground and roadside objects differently.
    subsets={"5": (0, 2, 3, 5, 6)},
    rare=(1, 2, 4),
)

_TEN = [colorsys.hsv_to_rgb(i / 10, 0.65 + 0.3 * (i % 2), 0.9 - 0.25 * (i % 2)) for i in range(10)]
DIGITS_10 = ClassSet(
    name="digits10",
    names=tuple(str(i) for i in range(10)),
    colours=tuple((int(255 * r), int(255 * g), int(255 * b)) for r, g, b in _TEN),
    whole_image=True,
)
"""Handwritten and house-number digits: one label for an image."""


def classes_of(number: int) -> ClassSet:
    """Classes of a file that only tells how many: Cityscapes' 19, SYNTHIA's 16, or numbers."""
    if number == len(CITYSCAPES_19.names):
        return CITYSCAPES_19
    if number == len(CITYSCAPES_16.names):
        return CITYSCAPES_16
    hues = [colorsys.hsv_to_rgb(i / number, 0.8, 0.9) for i in range(number)]
    colours = tuple((int(255 * r), int(255 * g), int(255 * b)) for r, g, b in hues)
    return ClassSet(f"unnamed{number}", tuple(f"class {i}" for i in range(number)), colours)
