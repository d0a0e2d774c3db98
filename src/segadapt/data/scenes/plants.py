"""Vegetation: leafy crowns cut from noise, bare winter trees grown by branching, hedges."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .canvas import F32, U8, Canvas, Rgb, tint
from .layout import Street, Thing
from .style import Style
from .surfaces import noise_window

TREE = 5


@lru_cache(maxsize=4)
def _grid(n: int) -> tuple[F32, F32]:
    axis = np.linspace(-1, 1, n, dtype=np.float32)
    return axis[None, :], axis[:, None]


def crown(
    rng: np.random.Generator, leaf: Rgb, rough: float, width: float, twigs: bool = False
) -> U8:
    """A leafy crown as an (n, n, 4) cut-out, lit from above; ``twigs``: leafless, see-through.

    ``width`` is the width it will have on the canvas; far crowns get by with a small texture.
    """
    n = 24 if width < 30 else 44 if width < 80 else 84
    x, y = _grid(n)
    mid, fine = noise_window(rng, n, n, 5.0 if n > 60 else 2.0), noise_window(rng, n, n, 1.0)
    body = np.full((n, n), -1.0, dtype=np.float32)
    for _ in range(5):  # a crown is a few overlapping balls
        a, r = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.15, 0.45))
        cx, cy, rad = r * np.cos(a), r * np.sin(a), float(rng.uniform(0.4, 0.6))
        body = np.maximum(body, 1 - ((x - cx) ** 2 + (y - cy) ** 2) / rad**2)
    solid = body + 0.14 * mid + 0.1 * fine > 0.12
    light = 0.62 - 0.3 * y - 0.12 * x + 0.14 * mid + rough * fine
    light = np.clip(light, 0.12, 1.35)[..., None]
    out = np.empty((n, n, 4), dtype=np.uint8)
    out[..., :3] = np.clip(np.array(leaf, dtype=np.float32) * light, 0, 255)
    if twigs:
        out[..., 3] = np.where(solid, np.where(fine + 0.5 * mid > 0.55, 255, 128), 0)
    else:
        out[..., 3] = np.where(solid, 255, 0)
    return out


def _bare(
    canvas: Canvas, x: float, y: float, tall: float, bark: Rgb, obj: int, rng: np.random.Generator
) -> None:
    """Trunk and boughs as branching lines."""
    stack = [(x, y, -np.pi / 2, tall * 0.3, tall * 0.035, 0)]
    levels = 4 if tall > 120 else 3  # finer twigs come from the crown's fuzz
    while stack:
        x0, y0, angle, length, width, level = stack.pop()
        x1, y1 = x0 + length * float(np.cos(angle)), y0 + length * float(np.sin(angle))
        canvas.line([(x0, y0), (x1, y1)], max(1.4, width), bark, obj)
        if level < levels:
            for turn in (-0.45, 0.02, 0.45):
                bend = turn + float(rng.normal(0, 0.14))
                stretch = length * float(rng.uniform(0.6, 0.82))
                stack.append((x1, y1, angle + bend, stretch, width * 0.6, level + 1))


def draw_tree(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A tree ``size`` metres tall; wide far trees (``extra`` > 1) close the horizon."""
    if thing.z < 4:
        return
    x, y = canvas.view.project((street.x(thing.s, thing.z), 0.0, thing.z))
    k = canvas.view.scale(thing.z)
    tall = thing.size * k
    reach = max(tall, thing.extra * k)
    if x + reach < 0 or x - reach > canvas.view.width:
        return
    obj = canvas.new(TREE, thing.z)
    bark = tint((96, 78, 62), float(rng.uniform(0.5, 1.1)))
    leaf = tint(style.leaves[int(rng.integers(len(style.leaves)))], float(rng.uniform(0.75, 1.2)))
    rough = 0.16 + style.dirt
    if thing.extra > 1:
        width = thing.extra * k
        canvas.sprite(
            x - width / 2, y - tall, width, tall * 1.25, crown(rng, leaf, rough, width), obj
        )
        return
    if rng.random() < style.bare:
        fuzz = crown(rng, tint(bark, 1.3), rough, tall * 0.72, twigs=True)
        canvas.sprite(x - tall * 0.36, y - tall * 1.02, tall * 0.72, tall * 0.76, fuzz, obj)
        _bare(canvas, x, y, tall * float(rng.uniform(0.8, 0.95)), bark, obj, rng)
        return
    conifer = rng.random() < 0.12
    stem = max(1.2, tall * 0.022)
    canvas.flat(
        [
            (x - stem, y),
            (x - stem * 0.6, y - tall * 0.6),
            (x + stem * 0.6, y - tall * 0.6),
            (x + stem, y),
        ],
        bark,
        obj,
    )
    if conifer:
        for i in range(11):
            half = tall * (0.17 * (1 - i / 12) + float(rng.uniform(-0.015, 0.015)))
            base = y - tall * (0.1 + 0.075 * i)
            tip = base - tall * 0.17
            canvas.flat(
                [(x - half, base), (x, tip), (x + half, base + tall * 0.01)],
                tint(leaf, 0.5 + 0.03 * i + 0.1 * (i % 2)),
                obj,
            )
        return
    width = tall * float(rng.uniform(0.55, 0.9))
    high = tall * float(rng.uniform(0.68, 0.85))
    canvas.sprite(x - width / 2, y - tall * 1.02, width, high, crown(rng, leaf, rough, width), obj)


def draw_hedge(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A clipped hedge along the street from z to ``extra``, ``size`` metres high."""
    leaf = np.array(style.leaves[int(rng.integers(len(style.leaves)))], dtype=np.float32)
    h, w = 24, 120
    light = (
        0.62
        + 0.12 * noise_window(rng, h, w, 2.0)
        + (0.1 + style.dirt) * noise_window(rng, h, w, 0.6)
    )
    light = light * np.linspace(1.25, 0.6, h, dtype=np.float32)[:, None]
    texture = np.clip(leaf * light[..., None], 0, 255).astype(np.uint8)
    z0, z1 = thing.z, thing.extra
    obj = canvas.new(TREE, max(2.0, (max(z0, 2) + z1) / 2))
    x0, x1 = street.x(thing.s, z0), street.x(thing.s, z1)
    if z0 > 2:
        side = 1.0 if thing.s > 0 else -1.0
        canvas.wall((x0, z0), (x0 + side, z0), 0.0, thing.size, texture[:, :20], obj)
    canvas.wall((x0, z0), (x1, z1), 0.0, thing.size, texture, obj)
