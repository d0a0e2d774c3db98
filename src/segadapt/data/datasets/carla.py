"""Pictures of the CARLA simulator with boxes (Daniel 2019), as COCO stores them."""

from __future__ import annotations

from segadapt.data.boxes.class_sets import CARLA_5, VEHICLE_2
from segadapt.data.class_map import ClassMap
from segadapt.data.datasets import coco

DEFAULT_ROOT = "detection/carla"

TO_VEHICLE_2 = {
    "vehicle": 0,
    "bike": 1,
    "motorbike": 1,
    "traffic light": 255,
    "traffic sign": 255,
}

CLASS_MAPS = {
    "vehicle2": ClassMap(VEHICLE_2, {}, names=TO_VEHICLE_2),
    "carla5": ClassMap(CARLA_5, {}, names={name: i for i, name in enumerate(CARLA_5.names)}),
}

samples = coco.samples
found_labels = coco.found_labels
