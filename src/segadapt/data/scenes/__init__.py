"""Two procedural street-scene domains: clean ``rendered`` pictures and dirty ``camera`` ones.

They stand in for a labelled synthetic source and an unlabelled real target where no data set can
be downloaded: same world and classes, other materials, light, weather and sensor.
"""

from .scene import Domain, Scene, draw_scene

CLASS_NAMES: tuple[str, ...] = (
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
)

__all__ = ["CLASS_NAMES", "Domain", "Scene", "draw_scene"]
