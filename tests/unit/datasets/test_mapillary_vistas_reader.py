"""Mapillary Vistas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from miniatures import BUILDERS, names_of_ids, opened

from segadapt.data.datasets import mapillary_vistas

# The labels of config_v1.2.json in their order, with the class that each is counted as.
VERSION_1_2 = [
    ("Bird", None), ("Ground Animal", None), ("Curb", "sidewalk"), ("Fence", "fence"),
    ("Guard Rail", None), ("Barrier", None), ("Wall", "wall"), ("Bike Lane", "road"),
    ("Crosswalk - Plain", "road"), ("Curb Cut", "sidewalk"), ("Parking", None),
    ("Pedestrian Area", "sidewalk"), ("Rail Track", None), ("Road", "road"),
    ("Service Lane", "road"), ("Sidewalk", "sidewalk"), ("Bridge", None), ("Building", "building"),
    ("Tunnel", None), ("Person", "person"), ("Bicyclist", "rider"), ("Motorcyclist", "rider"),
    ("Other Rider", "rider"), ("Lane Marking - Crosswalk", "road"),
    ("Lane Marking - General", "road"), ("Mountain", None), ("Sand", None), ("Sky", "sky"),
    ("Snow", None), ("Terrain", "terrain"), ("Vegetation", "vegetation"), ("Water", None),
    ("Banner", None), ("Bench", None), ("Bike Rack", None), ("Billboard", None),
    ("Catch Basin", "road"), ("CCTV Camera", None), ("Fire Hydrant", None), ("Junction Box", None),
    ("Mailbox", None), ("Manhole", "road"), ("Phone Booth", None), ("Pothole", "road"),
    ("Street Light", "pole"), ("Pole", "pole"), ("Traffic Sign Frame", None),
    ("Utility Pole", "pole"), ("Traffic Light", "traffic light"), ("Traffic Sign (Back)", None),
    ("Traffic Sign (Front)", "traffic sign"), ("Trash Can", None), ("Bicycle", "bicycle"),
    ("Boat", None), ("Bus", "bus"), ("Car", "car"), ("Caravan", None),
    ("Motorcycle", "motorcycle"), ("On Rails", "train"), ("Other Vehicle", None),
    ("Trailer", None), ("Truck", "truck"), ("Wheeled Slow", None), ("Car Mount", None),
    ("Ego Vehicle", None), ("Unlabeled", None),
]  # fmt: skip


def test_every_label_is_counted_as_its_class() -> None:
    assert len(VERSION_1_2) == 66
    for class_map in mapillary_vistas.CLASS_MAPS.values():
        assert names_of_ids(class_map) == {
            i: name for i, (_, name) in enumerate(VERSION_1_2) if name in class_map.classes.names
        }
        assert set(class_map.ids) == {*range(66), 255}


def test_labels_of_the_older_layout_are_found(tmp_path: Path) -> None:
    split, wanted = BUILDERS["mapillary_vistas"](tmp_path)
    (tmp_path / split / "v1.2/labels").rename(tmp_path / split / "labels")
    (tmp_path / split / "v1.2").rmdir()
    assert np.array_equal(opened("mapillary_vistas", tmp_path, split).label(0), wanted)
