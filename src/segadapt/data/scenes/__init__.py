"""Two procedural street-scene domains: clean ``rendered`` pictures and dirty ``camera`` ones.

They stand in for a labelled synthetic source and an unlabelled real target where no data set can
be downloaded: same world and classes, other materials, light, weather and sensor.
"""

from segadapt.base.classes import CAMVID_11

from .scene import Domain, Scene, draw_scene

# Ids are CamVid's, so that the scenes can be a source for it.
CLASS_NAMES = CAMVID_11.names

__all__ = ["CLASS_NAMES", "Domain", "Scene", "draw_scene"]
