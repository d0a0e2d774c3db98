"""Photographs of Indonesian roads with boxes (Universitas Tidar), as COCO stores them."""

from __future__ import annotations

from segadapt.data.boxes.class_sets import HIGHWAY_5, VEHICLE_2
from segadapt.data.class_map import ClassMap
from segadapt.data.datasets import coco

DEFAULT_ROOT = "detection/highway"

TO_VEHICLE_2 = {"bus": 0, "car": 0, "motorbike": 1, "person": 255, "truck": 0}

CLASS_MAPS = {
    "highway5": ClassMap(HIGHWAY_5, {}, names={name: i for i, name in enumerate(HIGHWAY_5.names)}),
    "vehicle2": ClassMap(VEHICLE_2, {}, names=TO_VEHICLE_2),
}

samples = coco.samples
found_labels = coco.found_labels
