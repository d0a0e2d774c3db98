"""Class sets of published and drawn data with boxes."""

from __future__ import annotations

from segadapt.base.classes import CITYSCAPES_19, ClassSet

VEHICLE, TWO_WHEELER, PERSON = (0, 0, 142), (119, 11, 32), (220, 20, 60)
BUS, TRUCK, MOTORBIKE = (0, 60, 100), (0, 0, 70), (0, 0, 230)

VEHICLE_2 = ClassSet(
    "vehicle2", ("vehicle", "two-wheeler"), (VEHICLE, TWO_WHEELER), rare=(1,), boxes=True
)
"""What the CARLA simulator and the photographs of Indonesian roads share."""

CARLA_5 = ClassSet(
    "carla5",
    ("vehicle", "bike", "motorbike", "traffic light", "traffic sign"),
    (VEHICLE, TWO_WHEELER, MOTORBIKE, (250, 170, 30), (220, 220, 0)),
    rare=(1, 2),
    boxes=True,
)

HIGHWAY_5 = ClassSet(
    "highway5",
    ("bus", "car", "motorbike", "person", "truck"),
    (BUS, VEHICLE, MOTORBIKE, PERSON, TRUCK),
    rare=(0, 3),
    boxes=True,
)

_THINGS = tuple(range(11, 19))
CITYSCAPES_THINGS_8 = ClassSet(
    "cityscapes_things8",
    tuple(CITYSCAPES_19.names[i] for i in _THINGS),
    tuple(CITYSCAPES_19.colours[i] for i in _THINGS),
    rare=(3, 4, 5, 6),
    boxes=True,
)
"""Cityscapes' classes that have instances: person, rider, car, truck, bus, train, motorcycle,
bicycle."""

SCENE_THINGS_3 = ClassSet(
    "scene_things3",
    ("vehicle", "person", "two-wheeler"),
    (VEHICLE, PERSON, TWO_WHEELER),
    rare=(2,),
    boxes=True,
)
"""Of the drawn scenes: cars, vans and buses; people on foot; people on bicycles with these."""
