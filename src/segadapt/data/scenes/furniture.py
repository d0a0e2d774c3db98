"""Street furniture: lamps, posts, signs, traffic lights, boards, bollards, fences, bins."""

from __future__ import annotations

import numpy as np

from .canvas import VOID, Canvas, Rgb, tint
from .layout import Street, Thing
from .style import Style
from .surfaces import noise_window

BUILDING, POLE, SIGN, FENCE = 1, 2, 6, 7
SIGN_COLOURS: tuple[Rgb, ...] = ((24, 70, 170), (20, 110, 60), (230, 230, 228), (240, 196, 30))


def _base(canvas: Canvas, thing: Thing, street: Street) -> tuple[float, float, float]:
    x, y = canvas.view.project((street.x(thing.s, thing.z), 0.0, thing.z))
    return x, y, canvas.view.scale(thing.z)


def _post(
    canvas: Canvas, x: float, y: float, tall: float, wide: float, colour: Rgb, obj: int
) -> None:
    """An upright post with a lit and a shaded half, at least two canvas pixels wide."""
    half = max(1.0, wide / 2)
    canvas.box(x - half, y - tall, x + half, y, tint(colour, 0.7), obj)
    canvas.box(x - half, y - tall, x, y, tint(colour, 1.1), obj)


def draw_lamp(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A street lamp ``size`` metres tall whose arm reaches ``extra`` metres sideways."""
    x, y, k = _base(canvas, thing, street)
    obj = canvas.new(POLE, thing.z)
    tall, arm = thing.size * k, thing.extra * k
    _post(canvas, x, y, tall, 0.13 * k, style.metal, obj)
    _post(canvas, x, y, 1.2 * k, 0.2 * k, style.metal, obj)
    colour: Rgb = (255, 214, 150) if style.lit > 0 else (214, 214, 206)
    hx, hy = x + arm, y - tall - abs(arm) * 0.25
    if arm:
        canvas.line([(x, y - tall), (hx, hy)], max(2.0, 0.08 * k), style.metal, obj)
    canvas.disc(hx, hy, max(2.0, 0.28 * k), max(1.5, 0.1 * k), tint(style.metal, 0.8), obj)
    canvas.disc(hx, hy + 0.06 * k, 0.22 * k, 0.08 * k, colour, obj)
    if style.lit > 0:
        canvas.lamp(hx, hy, 0.45 * k, colour)


def draw_post(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A plain post (bollards are short ones, striped or with a light cap)."""
    x, y, k = _base(canvas, thing, street)
    obj = canvas.new(POLE, thing.z)
    if thing.size > 2:
        _post(canvas, x, y, thing.size * k, 0.1 * k, style.metal, obj)
        return
    colour = style.metal if rng.random() < 0.5 else (40, 40, 44)
    _post(canvas, x, y, thing.size * k, 0.19 * k, colour, obj)
    canvas.box(x - 0.09 * k, y - 0.86 * k, x + 0.09 * k, y - 0.72 * k, (226, 226, 222), obj)


def draw_sign(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A traffic sign ``size`` metres wide on its post; ``extra`` lowers it (traffic islands)."""
    x, y, k = _base(canvas, thing, street)
    low = thing.extra > 0
    at = (1.0 if low else float(rng.uniform(2.0, 2.9))) * k
    r = thing.size * k / 2
    _post(canvas, x, y, at + r * 2, 0.075 * k, style.metal, canvas.new(POLE, thing.z))
    obj = canvas.new(SIGN, thing.z)
    cy = y - at - r
    roll = rng.random()
    away = rng.random() < 0.25  # the grey back of a sign for the other direction
    face: Rgb = (236, 236, 232)
    rim: Rgb = (200, 24, 30)
    if away:
        face = rim = tint(style.metal, 0.8)
    if low or roll < 0.4:
        disc = (28, 80, 180) if low or rng.random() < 0.35 else rim
        canvas.disc(x, cy, r, r, rim if away else disc, obj)
        canvas.disc(x, cy, r * 0.68, r * 0.68, face if disc == rim else disc, obj)
        canvas.box(
            x - r * 0.4,
            cy - r * 0.12,
            x + r * 0.4,
            cy + r * 0.12,
            tint(face, 0.75) if away else (240, 240, 240) if disc != rim else (30, 30, 30),
            obj,
        )
    elif roll < 0.65:
        canvas.flat([(x - r, cy + r), (x, cy - r), (x + r, cy + r)], rim, obj)
        canvas.flat(
            [(x - r * 0.6, cy + r * 0.76), (x, cy - r * 0.5), (x + r * 0.6, cy + r * 0.76)],
            face,
            obj,
        )
    else:
        tall = r * float(rng.uniform(0.7, 1.6))
        colour = face if away else SIGN_COLOURS[int(rng.integers(len(SIGN_COLOURS)))]
        wide = r * float(rng.uniform(1.0, 1.5))
        canvas.box(x - wide, cy - tall, x + wide, cy + tall, (240, 240, 238), obj)
        canvas.box(x - wide * 0.9, cy - tall * 0.9, x + wide * 0.9, cy + tall * 0.9, colour, obj)
        if not away:
            ink = (30, 30, 30) if sum(colour) > 500 else (240, 240, 240)
            for i in range(3):
                yy = cy - tall * 0.5 + i * tall * 0.45
                canvas.line(
                    [(x - wide * 0.6, yy), (x + wide * float(rng.uniform(0, 0.6)), yy)],
                    max(1.0, tall * 0.14),
                    ink,
                    obj,
                )


def draw_board(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A direction or advertising board ``size`` metres wide on two legs."""
    x, y, k = _base(canvas, thing, street)
    pole = canvas.new(POLE, thing.z)
    half, foot = thing.size * k / 2, float(rng.uniform(0.6, 2.0)) * k
    tall = thing.size * k * float(rng.uniform(0.6, 1.3))
    for d in (-0.8, 0.8):
        _post(canvas, x + d * half, y, foot + tall, 0.1 * k, style.metal, pole)
    obj = canvas.new(SIGN, thing.z)
    colour = tint(style.cars[int(rng.integers(len(style.cars)))], 1.1)
    top = y - foot - tall
    canvas.box(x - half, top, x + half, y - foot, (228, 226, 220), obj)
    canvas.box(
        x - half * 0.94, top + tall * 0.04, x + half * 0.94, y - foot - tall * 0.04, colour, obj
    )
    for i in range(4):
        yy = top + tall * (0.2 + 0.18 * i)
        reach = half * float(rng.uniform(-0.2, 0.8))
        canvas.line([(x - half * 0.75, yy), (x + reach, yy)], tall * 0.07, (236, 234, 226), obj)


def draw_light(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """Traffic lights: the post is a pole, the head with its lamps a sign."""
    x, y, k = _base(canvas, thing, street)
    _post(canvas, x, y, (thing.size + 1.0) * k, 0.13 * k, style.metal, canvas.new(POLE, thing.z))
    obj = canvas.new(SIGN, thing.z)
    foot, half = y - thing.size * k, 0.24 * k
    canvas.box(x - half, foot - 1.1 * k, x + half, foot, (22, 23, 24), obj)
    on = int(rng.choice([0, 0, 2, 2, 1]))
    for i, colour in enumerate(((255, 40, 30), (255, 180, 30), (40, 240, 130))):
        cy = foot - (0.92 - 0.36 * i) * k
        canvas.disc(x, cy, 0.13 * k, 0.13 * k, colour if i == on else tint(colour, 0.22), obj)
        if i == on:
            canvas.lamp(x, cy, 0.14 * k, colour)


def draw_fence(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A railing, plank fence, mesh or guard rail from z to ``extra``; low walls are buildings."""
    z0, z1 = thing.z, thing.extra
    px, h = 14.0, 40
    w = int(np.clip((z1 - z0) * px, 30, 360))
    wall = thing.kind == "lowwall"
    kind = -1 if wall else int(rng.integers(4))
    tone = float(rng.uniform(0.6, 1.2))
    palette: tuple[Rgb, ...] = (
        style.walls
        if wall
        else (style.metal, (52, 54, 58), (122, 92, 64), (214, 214, 210), (46, 84, 60))
    )
    base = np.array(tint(palette[int(rng.integers(len(palette)))], tone), dtype=np.float32)
    tex = np.zeros((h, w, 4), dtype=np.uint8)
    shade = 1 + (0.03 + style.dirt) * noise_window(rng, h, w, 0.8)
    tex[..., :3] = np.clip(base * shade[..., None], 0, 255)
    col = np.arange(w)
    if wall or kind == 2:
        tex[..., 3] = 255
        if wall:
            tex[:3, :, :3] = np.clip(base * 1.2, 0, 255)
        else:
            tex[:, col % 4 == 0, :3] = np.clip(base * 0.6, 0, 255)
    elif kind == 3:  # guard rail
        tex[4:20, :, 3] = 255
        tex[10:13, :, :3] = np.clip(base * 0.65, 0, 255)
        tex[:, col % 28 < 3, 3] = 255
    else:  # railings, wide or narrow
        gap = 4 if kind == 0 else 7
        tex[:, col % gap < 2, 3] = 255
        tex[1:5, :, 3] = 255
        tex[34:37, :, 3] = 255
        tex[:, col % 28 < 3, 3] = 255
    obj = canvas.new(BUILDING if wall else FENCE, max(2.0, (max(z0, 2) + z1) / 2))
    a, b = (street.x(thing.s, z0), z0), (street.x(thing.s, z1), z1)
    canvas.wall(a, b, 0.0, thing.size, tex, obj, holes=True)


def draw_bin(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """Something no class covers: a litter bin, a post box, a cabinet. Void in the label."""
    x, y, k = _base(canvas, thing, street)
    obj = canvas.new(VOID, thing.z)
    colour = tint(style.cars[int(rng.integers(len(style.cars)))], 0.9)
    half = 0.32 * k
    canvas.box(x - half, y - thing.size * k, x + half, y, colour, obj)
    canvas.box(
        x - half * 1.1,
        y - thing.size * k,
        x + half * 1.1,
        y - thing.size * k * 0.85,
        tint(colour, 0.7),
        obj,
    )
