"""Cars, vans and buses as extruded side profiles, projected face by face."""

from __future__ import annotations

import numpy as np

from .bodies import BODIES, Body
from .canvas import Canvas, Point3, Rgb, tint
from .layout import Street, Thing
from .style import Style

CAR = 8


class _Frame:
    """Car coordinates (length, side, height) -> world, plus a visibility test for faces."""

    def __init__(self, x: float, z: float, heading: float, eye: float) -> None:
        self.x, self.z, self.eye = x, z, eye
        self.c, self.s = float(np.cos(heading)), float(np.sin(heading))
        # The camera in car coordinates decides which faces can be seen.
        self.cam_l = -x * self.s - z * self.c
        self.cam_w = -x * self.c + z * self.s

    def __call__(self, length: float, width: float, y: float) -> Point3:
        return (
            self.x + length * self.s + width * self.c,
            y,
            self.z + length * self.c - width * self.s,
        )


def _inset(body: Body, y: float) -> float:
    """Half width at height y: the cabin leans inwards, the sills a little too."""
    lean = 0.06 if body.profile[4][1] > 2 else 0.3
    return body.half_width - max(0.0, y - body.belt) * lean - max(0.0, 0.45 - y) * 0.2


def _wheels(canvas: Canvas, f: _Frame, body: Body, side: float, obj: int) -> None:
    for axle in body.axles:
        for r, colour in ((body.wheel, (22, 22, 24)), (body.wheel * 0.58, (140, 142, 146))):
            ring = [
                f(axle + r * np.cos(a), side * (body.half_width + 0.01), body.wheel + r * np.sin(a))
                for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)
            ]
            canvas.solid(ring, colour, obj)


def _ends(canvas: Canvas, f: _Frame, body: Body, style: Style, obj: int, front: bool) -> None:
    """Lights, number plate and grille on the visible end."""
    lo, hi = (body.profile[-2], body.profile[-3]) if front else (body.profile[1], body.profile[2])
    length = (lo[0] + hi[0]) / 2 + (0.03 if front else -0.03)
    y0, y1 = lo[1] + (hi[1] - lo[1]) * 0.15, lo[1] + (hi[1] - lo[1]) * 0.85
    w = body.half_width
    glow = style.lit > 0
    colour: Rgb = (
        ((255, 250, 225) if glow else (226, 230, 232))
        if front
        else ((255, 40, 30) if glow else (186, 20, 22))
    )
    for side in (-1.0, 1.0):
        a, b = side * w * 0.95, side * w * 0.62
        quad = [f(length, a, y0), f(length, b, y0), f(length, b, y1), f(length, a, y1)]
        canvas.solid(quad, colour, obj)
        mid = f(length, side * w * 0.8, (y0 + y1) / 2)
        if mid[2] > 1:
            x, y = canvas.view.project(mid)
            canvas.lamp(x, y, 0.16 * canvas.view.scale(mid[2]), colour)
    if front:
        canvas.solid(
            [f(length, s * w * 0.5, y) for s, y in ((-1, y0), (1, y0), (1, y1), (-1, y1))],
            (40, 42, 46),
            obj,
        )
    plate = (235, 235, 225) if front else (235, 205, 60)
    yp = lo[1] - 0.14 if front else y0
    canvas.solid(
        [f(length, s * 0.26, yp + h) for s, h in ((-1, 0.0), (1, 0.0), (1, 0.12), (-1, 0.12))],
        plate,
        obj,
    )


def _side(
    canvas: Canvas,
    f: _Frame,
    body: Body,
    side: float,
    paint: Rgb,
    glass: Rgb,
    obj: int,
    gain: float,
) -> None:
    low = [p for p in body.profile if p[1] <= body.belt + 0.08]
    canvas.solid([f(p[0], side * _inset(body, p[1]), p[1]) for p in low], tint(paint, gain), obj)
    high = [p for p in body.profile if p[1] >= body.belt - 0.1]
    cabin = [f(p[0], side * _inset(body, p[1]), p[1]) for p in high]
    canvas.solid(cabin, tint(paint, gain * 1.06), obj)
    # The glass is the cabin outline pulled in, cut by one or more pillars.
    xs = [p[0] for p in high if p[1] > body.belt + 0.2]
    top = max(p[1] for p in high) - 0.1
    bottom = body.belt + 0.03
    x0, x1 = min(xs) + 0.02, max(xs) - 0.02
    count = 5 if body.half_width > 1.2 else 2
    if body.half_width == BODIES["van"].half_width:
        x0 = 0.45  # panel van: only the cab has side windows
        count = 1
    step = (x1 - x0) / count
    for i in range(count):
        a, b = x0 + i * step + 0.05, x0 + (i + 1) * step - 0.05
        lean_a = -0.18 if i == 0 and count == 2 else 0.0
        lean_b = 0.42 if i == count - 1 and count <= 2 else 0.0
        wb, wt = side * (_inset(body, bottom) + 0.01), side * (_inset(body, top) + 0.01)
        canvas.solid(
            [f(a + lean_a, wb, bottom), f(b + lean_b, wb, bottom), f(b, wt, top), f(a, wt, top)],
            glass,
            obj,
        )
    y = body.belt - 0.28
    w = side * (body.half_width + 0.005)
    canvas.solid(
        [f(-1.6, w, y), f(1.6, w, y), f(1.6, w, y - 0.05), f(-1.6, w, y - 0.05)],
        tint(paint, gain * 0.7),
        obj,
    )


def draw_vehicle(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A vehicle of the thing's kind at its place and heading (0 = driving away)."""
    name = (
        thing.kind
        if thing.kind in BODIES
        else str(rng.choice(["hatch", "saloon", "suv"], p=[0.5, 0.3, 0.2]))
    )
    body = BODIES[name]
    paint = tint(style.cars[int(rng.integers(len(style.cars)))], float(rng.uniform(0.8, 1.15)))
    dark = int(rng.uniform(20, 70))
    glass: Rgb = (dark, int(dark * 1.06), int(dark * 1.15))
    obj = canvas.new(CAR, max(1.0, thing.z))
    f = _Frame(street.x(thing.s, thing.z), thing.z, thing.heading, canvas.view.eye)
    side = 1.0 if f.cam_w > 0 else -1.0
    sun = 0.8 + 0.25 * float(rng.random())
    w = body.half_width - 0.05
    # Underbody and far wheels close the gap below the sills.
    far_first = body.axles if f.cam_l > 0 else body.axles[::-1]
    for axle in far_first:
        a = axle + (0.25 if f.cam_l > 0 else -0.25)
        canvas.solid(
            [f(a, -w, 0.2), f(a, w, 0.2), f(a, w, 0.55), f(a, -w, 0.55)], (16, 16, 18), obj
        )
        for d in (-1.0, 1.0):
            o, i = d * w, d * (w - 0.2)
            canvas.solid(
                [f(a, o, 0.0), f(a, i, 0.0), f(a, i, 0.4), f(a, o, 0.4)], (26, 26, 28), obj
            )
    strips = list(zip(body.profile, body.profile[1:], body.skin, strict=False))
    order = sorted(strips, key=lambda t: -abs((t[0][0] + t[1][0]) / 2 - f.cam_l))
    for (l0, y0), (l1, y1), skin in order:
        # Outward normal of a stretch walked rear -> roof -> front is (-dy, dl).
        seen = (f.cam_l - l0) * -(y1 - y0) + (f.eye - y0) * (l1 - l0)
        if seen <= 0:
            continue
        wa, wb = _inset(body, y0), _inset(body, y1)
        up = (l1 - l0) / max(0.01, float(np.hypot(l1 - l0, y1 - y0)))
        gain = sun * (0.78 + 0.4 * max(0.0, up))
        colour = {"p": tint(paint, gain), "g": glass, "b": tint(paint, gain * 0.72)}[skin]
        face = [f(l0, -wa, y0), f(l0, wa, y0), f(l1, wb, y1), f(l1, -wb, y1)]
        if skin == "g":  # a painted rim, then the pane with a band of mirrored sky
            canvas.solid(face, tint(paint, gain * 0.9), obj)
            pa, pb = wa * 0.9, wb * 0.86
            lm, ym, pm = (l0 + l1) / 2, (y0 + y1) / 2, (pa + pb) / 2
            canvas.solid(
                [f(l0, -pa, y0), f(l0, pa, y0), f(l1, pb, y1), f(l1, -pb, y1)], colour, obj
            )
            top = (l1, y1, pb) if y1 > y0 else (l0, y0, pa)
            canvas.solid(
                [
                    f(lm, -pm, ym),
                    f(lm, pm, ym),
                    f(top[0], top[2], top[1]),
                    f(top[0], -top[2], top[1]),
                ],
                tint(glass, 1.5),
                obj,
            )
        else:
            canvas.solid(face, colour, obj)
    if abs(f.cam_w) > body.half_width:
        _side(canvas, f, body, side, paint, glass, obj, sun * float(rng.uniform(0.75, 1.0)))
        _wheels(canvas, f, body, side, obj)
    if f.cam_l < body.profile[0][0]:
        _ends(canvas, f, body, style, obj, front=False)
    elif f.cam_l > body.profile[-1][0]:
        _ends(canvas, f, body, style, obj, front=True)
