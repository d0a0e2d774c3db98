"""Pedestrians and cyclists, drawn as small figures in body proportions."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Point2, Rgb, tint
from .layout import Street, Thing
from .style import Style

PEDESTRIAN, BICYCLIST = 9, 10
SKIN: tuple[Rgb, ...] = ((222, 180, 150), (190, 140, 108), (120, 84, 62), (240, 204, 180))


class _Figure:
    """Figure coordinates (metres right of and above the feet) -> canvas."""

    def __init__(self, canvas: Canvas, x: float, y: float, k: float, obj: int, flip: float) -> None:
        self.canvas, self.x, self.y, self.k, self.obj, self.flip = canvas, x, y, k, obj, flip

    def at(self, dx: float, dy: float) -> Point2:
        return self.x + self.flip * dx * self.k, self.y - dy * self.k

    def limb(self, points: list[Point2], width: float, colour: Rgb) -> None:
        self.canvas.line([self.at(*p) for p in points], max(1.5, width * self.k), colour, self.obj)

    def area(self, points: list[Point2], colour: Rgb) -> None:
        self.canvas.flat([self.at(*p) for p in points], colour, self.obj)

    def ball(self, dx: float, dy: float, rx: float, ry: float, colour: Rgb) -> None:
        x, y = self.at(dx, dy)
        self.canvas.disc(x, y, max(0.8, rx * self.k), max(0.8, ry * self.k), colour, self.obj)


def _figure(
    canvas: Canvas, thing: Thing, street: Street, label: int, scale: float, flip: float
) -> _Figure:
    x, y = canvas.view.project((street.x(thing.s, thing.z), 0.0, thing.z))
    k = canvas.view.scale(thing.z) * scale
    return _Figure(canvas, x, y, k, canvas.new(label, thing.z), flip)


def _cloth(style: Style, rng: np.random.Generator) -> Rgb:
    return tint(style.clothes[int(rng.integers(len(style.clothes)))], float(rng.uniform(0.5, 1.1)))


def draw_person(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """Someone standing or walking, ``size`` metres tall (drawn for 1.75 m and scaled)."""
    f = _figure(canvas, thing, street, PEDESTRIAN, thing.size / 1.75, float(rng.choice([-1, 1])))
    coat, legs = _cloth(style, rng), tint(_cloth(style, rng), 0.75)
    skin = SKIN[int(rng.integers(len(SKIN)))]
    hair: Rgb = tint((90, 66, 44), float(rng.uniform(0.25, 1.3)))
    step = float(rng.uniform(0.0, 0.2))
    wide = float(rng.uniform(0.19, 0.25))
    for d in (-1.0, 1.0):
        f.limb(
            [(0.07 * d, 0.88), (0.08 * d + step * d * 0.6, 0.46), (0.06 * d + step * d, 0.04)],
            0.15,
            tint(legs, 1 - 0.15 * (d > 0)),
        )
        f.limb(
            [(0.06 * d + step * d, 0.03), (0.14 + 0.06 * d + step * d, 0.03)], 0.07, (26, 24, 24)
        )
    hem = 0.6 if rng.random() < 0.3 else 0.82  # a long coat or a jacket
    f.limb(
        [(-wide, 1.4), (-wide - step * 0.6, 1.1), (-wide - step * 0.4, 0.85)], 0.1, tint(coat, 0.75)
    )
    f.area(
        [
            (-0.17, hem),
            (-wide, 1.2),
            (-wide + 0.02, 1.43),
            (-0.07, 1.5),
            (0.07, 1.5),
            (wide - 0.02, 1.43),
            (wide, 1.2),
            (0.17, hem),
        ],
        coat,
    )
    f.area(
        [(0.02, hem), (0.05, 1.49), (wide - 0.02, 1.43), (wide, 1.2), (0.17, hem)], tint(coat, 0.86)
    )
    f.limb([(wide, 1.4), (wide + step * 0.5, 1.12), (wide + step, 0.9)], 0.1, tint(coat, 0.9))
    if rng.random() < 0.3:
        f.area(
            [(-wide - 0.1, 0.75), (-wide + 0.08, 0.75), (-wide + 0.08, 1.02), (-wide - 0.1, 1.0)],
            _cloth(style, rng),
        )
    f.ball(0, 1.62, 0.1, 0.13, skin)
    f.area([(-0.1, 1.62), (-0.1, 1.7), (-0.05, 1.76), (0.05, 1.76), (0.1, 1.7), (0.03, 1.67)], hair)


def draw_cyclist(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A rider, seen from behind or ahead, or from the side when the heading is across."""
    across = abs(float(np.sin(thing.heading))) > 0.7
    f = _figure(canvas, thing, street, BICYCLIST, 1.0, 1.0 if thing.heading >= 0 else -1.0)
    coat, legs = _cloth(style, rng), tint(_cloth(style, rng), 0.75)
    if rng.random() < 0.3:
        coat = (206, 226, 60)  # high-visibility vest
    frame, tyre = _cloth(style, rng), (24, 24, 26)
    skin = SKIN[int(rng.integers(len(SKIN)))]
    helmet = _cloth(style, rng)
    if across:
        for cx in (-0.52, 0.52):
            f.ball(cx, 0.34, 0.35, 0.35, tyre)
            f.ball(cx, 0.34, 0.28, 0.28, (112, 110, 106))  # spokes blur into the ground's grey
            f.limb([(cx - 0.2, 0.14), (cx + 0.2, 0.54)], 0.02, (170, 170, 170))
        f.limb([(-0.52, 0.34), (-0.12, 0.85), (0.42, 0.85), (0.52, 0.34)], 0.06, frame)
        f.limb([(-0.12, 0.85), (0.0, 0.3), (0.42, 0.85)], 0.06, frame)
        f.limb([(-0.15, 0.95), (0.2, 0.7), (0.05, 0.28)], 0.15, legs)
        f.limb([(-0.15, 0.95), (0.16, 0.55), (-0.06, 0.2)], 0.14, tint(legs, 0.8))
        f.area([(-0.28, 0.9), (-0.05, 0.9), (0.3, 1.4), (0.12, 1.5), (-0.05, 1.42)], coat)
        f.limb([(0.18, 1.38), (0.32, 1.08), (0.48, 1.0)], 0.1, tint(coat, 0.85))
        f.ball(0.28, 1.6, 0.1, 0.13, skin)
        f.area([(0.14, 1.62), (0.18, 1.74), (0.3, 1.78), (0.42, 1.7), (0.42, 1.64)], helmet)
        return
    f.ball(0, 0.36, 0.05, 0.36, tyre)
    f.limb([(0, 0.6), (0, 0.95)], 0.06, frame)
    lift = float(rng.uniform(0.0, 0.2))
    f.limb([(-0.1, 0.95), (-0.16, 0.6), (-0.11, 0.18 + lift)], 0.15, legs)
    f.limb([(0.1, 0.95), (0.16, 0.65), (0.11, 0.38 - lift)], 0.15, tint(legs, 0.85))
    f.limb([(-0.28, 1.03), (0.28, 1.03)], 0.05, tyre)
    f.limb([(-0.2, 1.4), (-0.3, 1.2), (-0.26, 1.03)], 0.1, tint(coat, 0.85))
    f.limb([(0.2, 1.4), (0.3, 1.2), (0.26, 1.03)], 0.1, tint(coat, 0.85))
    f.area(
        [(-0.16, 0.9), (-0.23, 1.3), (-0.17, 1.47), (0.17, 1.47), (0.23, 1.3), (0.16, 0.9)], coat
    )
    f.area([(0.0, 0.9), (0.03, 1.47), (0.17, 1.47), (0.23, 1.3), (0.16, 0.9)], tint(coat, 0.86))
    f.ball(0, 1.6, 0.1, 0.13, skin if thing.heading else (70, 54, 42))
    f.area([(-0.12, 1.63), (-0.1, 1.73), (0, 1.78), (0.1, 1.73), (0.12, 1.63)], helmet)
