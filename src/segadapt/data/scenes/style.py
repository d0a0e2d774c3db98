"""Materials and light per domain: every colour a painter may use is chosen here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Rgb

CONDITIONS = ("clear", "overcast", "glare", "fog", "rain", "dusk", "night")
# Roughly half of the target is easy (clear, overcast), the rest gets steadily harder.
CONDITION_SHARES = (0.28, 0.2, 0.1, 0.13, 0.13, 0.1, 0.06)


@dataclass(frozen=True)
class Style:
    """Palette and light of one scene; amplitudes are fractions of brightness."""

    condition: str
    sky_top: Rgb
    sky_low: Rgb
    cloud: float
    cloud_colour: Rgb
    ground: tuple[Rgb, ...]  # by material number, see surfaces.py
    walls: tuple[Rgb, ...]
    roofs: tuple[Rgb, ...]
    leaves: tuple[Rgb, ...]
    cars: tuple[Rgb, ...]
    clothes: tuple[Rgb, ...]
    metal: Rgb
    grain: float
    stain: float
    wear: float
    dirt: float
    shadow: float
    bare: float  # share of trees without leaves
    lit: float  # share of windows and lamps that are switched on


def _shade(rng: np.random.Generator, base: Rgb, spread: float) -> Rgb:
    g = float(rng.uniform(1 - spread, 1 + spread))
    r, gr, b = (int(np.clip(c * g + rng.normal(0, spread * 28), 2, 252)) for c in base)
    return r, gr, b


def _ground(rng: np.random.Generator, road: float, walk: Rgb, grass: Rgb) -> tuple[Rgb, ...]:
    asphalt = _shade(rng, (int(road), int(road), int(road * 1.04)), 0.08)
    white = int(rng.uniform(190, 245))
    return (
        (0, 0, 0),
        asphalt,
        (white, white, white - 6),
        (215, 175, 60),
        _shade(rng, (int(road * 1.25), int(road * 0.7), int(road * 0.62)), 0.1),
        walk,
        _shade(rng, walk, 0.1),
        _shade(rng, (int(walk[0] * 1.12), int(walk[1] * 1.12), int(walk[2] * 1.12)), 0.06),
        (int(walk[0] * 0.78), int(walk[1] * 0.78), int(walk[2] * 0.78)),
        grass,
    )


RENDERED_WALLS: tuple[Rgb, ...] = (
    (196, 92, 66),
    (224, 190, 140),
    (214, 214, 206),
    (170, 120, 84),
    (120, 132, 150),
    (236, 206, 110),
    (150, 170, 190),
    (188, 150, 130),
    (130, 72, 58),
    (232, 226, 208),
    (96, 100, 106),
    (172, 148, 112),
)
CAMERA_WALLS: tuple[Rgb, ...] = (
    (132, 104, 82),
    (148, 136, 112),
    (104, 92, 82),
    (168, 160, 146),
    (112, 82, 68),
    (92, 92, 90),
    (140, 120, 92),
    (178, 172, 160),
    (84, 70, 60),
    (120, 116, 108),
)
CARS: tuple[Rgb, ...] = (
    (190, 24, 28),
    (28, 60, 160),
    (232, 232, 235),
    (30, 30, 34),
    (150, 154, 160),
    (200, 202, 206),
    (18, 84, 60),
    (226, 180, 30),
    (90, 94, 100),
    (60, 20, 30),
    (40, 90, 130),
)
CAMERA_CARS: tuple[Rgb, ...] = (
    (120, 30, 30),
    (40, 52, 84),
    (186, 186, 184),
    (26, 26, 28),
    (124, 126, 128),
    (150, 152, 152),
    (40, 60, 52),
    (84, 84, 86),
    (60, 62, 66),
    (150, 140, 120),
)
CLOTHES: tuple[Rgb, ...] = (
    (30, 32, 40),
    (60, 60, 66),
    (160, 40, 40),
    (40, 70, 140),
    (200, 200, 196),
    (90, 70, 50),
    (40, 100, 70),
    (220, 190, 60),
    (24, 24, 26),
    (110, 60, 110),
    (48, 50, 74),
)


def rendered_style(rng: np.random.Generator) -> Style:
    """A clean simulator look: vivid palette, tidy surfaces, fair weather, wide variation."""
    hazy = rng.random() < 0.55
    top: Rgb = (178, 200, 226) if hazy else (70, 130, 215)
    low: Rgb = (238, 242, 246) if hazy else (190, 216, 240)
    road = float(rng.uniform(72, 150))
    paving = ((172, 166, 158), (196, 186, 168), (150, 152, 156), (116, 112, 110))
    walk = _shade(rng, paving[rng.integers(4)], 0.16)
    grass = _shade(rng, (86, 150, 58), 0.16)
    leaves: tuple[Rgb, ...] = tuple(
        _shade(rng, c, 0.15) for c in ((70, 142, 48), (96, 160, 56), (44, 112, 52), (150, 150, 60))
    )
    return Style(
        condition="rendered",
        sky_top=_shade(rng, top, 0.12),
        sky_low=_shade(rng, low, 0.05),
        cloud=float(rng.choice([0.0, 0.35, 0.55, 0.8])),
        cloud_colour=_shade(rng, (246, 248, 252), 0.03),
        ground=_ground(rng, road, walk, grass),
        walls=RENDERED_WALLS,
        roofs=((150, 70, 52), (96, 92, 98), (120, 84, 66), (84, 76, 84)),
        leaves=leaves,
        cars=CARS,
        clothes=CLOTHES,
        metal=_shade(rng, (126, 130, 136), 0.3),
        grain=float(rng.uniform(0.01, 0.05)),
        stain=float(rng.uniform(0.0, 0.03)),
        wear=float(rng.uniform(0.0, 0.03)),
        dirt=0.03,
        shadow=float(rng.uniform(0.3, 0.6)),
        bare=float(rng.choice([0.0, 0.3, 0.7])),  # one season per scene
        lit=0.0,
    )


def camera_style(rng: np.random.Generator, condition: str | None = None) -> Style:
    """A dirty, muted world under changing weather; ``camera.py`` adds the light and the sensor.

    The condition is drawn where none is given.
    """
    drawn = str(rng.choice(CONDITIONS, p=CONDITION_SHARES))
    condition = drawn if condition is None else condition
    grey = condition in ("overcast", "fog", "rain")
    top, low, cloud, puff = {
        "clear": ((134, 176, 218), (232, 238, 240), 0.4, (236, 236, 236)),
        "glare": ((190, 200, 206), (255, 246, 224), 0.4, (250, 246, 236)),
        "dusk": ((64, 76, 116), (240, 176, 128), 0.45, (128, 106, 120)),
        "night": ((22, 24, 38), (60, 52, 56), 0.4, (44, 42, 50)),
    }.get(condition, ((186, 190, 194), (222, 224, 224), 0.9, (204, 206, 208)))
    road = float(rng.uniform(84, 128))
    walk = _shade(rng, ((132, 126, 118), (118, 116, 114), (150, 140, 124))[rng.integers(3)], 0.14)
    leaves: tuple[Rgb, ...] = tuple(
        _shade(rng, c, 0.16) for c in ((74, 86, 46), (98, 98, 52), (60, 72, 50), (128, 100, 52))
    )
    return Style(
        condition=condition,
        sky_top=_shade(rng, top, 0.08),
        sky_low=_shade(rng, low, 0.06),
        cloud=cloud,
        cloud_colour=_shade(rng, puff, 0.05),
        ground=_ground(rng, road, walk, _shade(rng, (98, 104, 62), 0.18)),
        walls=CAMERA_WALLS,
        roofs=((92, 74, 66), (74, 72, 74), (100, 92, 84)),
        leaves=leaves,
        cars=CAMERA_CARS,
        clothes=CLOTHES,
        metal=_shade(rng, (104, 104, 100), 0.3),
        grain=float(rng.uniform(0.06, 0.13)),
        stain=float(rng.uniform(0.05, 0.12)),
        wear=float(rng.uniform(0.03, 0.08)),
        dirt=0.1,
        shadow=0.08 if grey or condition in ("night", "dusk") else float(rng.uniform(0.5, 0.72)),
        bare=0.5,
        lit={"dusk": 0.3, "night": 0.4, "rain": 0.08, "fog": 0.08}.get(condition, 0.0),
    )
