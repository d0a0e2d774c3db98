"""Buildings: a texture per facade (windows, doors, shop fronts) mapped on the walls of a block."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import U8, Canvas, Point3, Rgb, tint
from .layout import Street, Thing
from .style import Style
from .surfaces import noise_window

BUILDING = 1
LIT: Rgb = (255, 214, 140)


def _pick(rng: np.random.Generator, palette: tuple[Rgb, ...], spread: float) -> Rgb:
    base = palette[int(rng.integers(len(palette)))]
    return tint(base, float(rng.uniform(1 - spread, 1 + spread)))


def _window(
    d: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    glass: Rgb,
    frame: Rgb,
    bars: int,
    px: float,
) -> None:
    x0, y0, x1, y1 = box
    t = max(0.6, px * 0.08)
    if min(x1 - x0, y1 - y0) < 2 * t + 1:  # far away: nothing but a dark dot
        d.rectangle((x0, y0, max(x0, x1), max(y0, y1)), fill=glass)
        return
    d.rectangle(box, fill=frame)
    d.rectangle((x0 + t, y0 + t, x1 - t, y1 - t), fill=glass)
    # The upper part of a pane mirrors the sky.
    d.rectangle((x0 + t, y0 + t, x1 - t, y0 + (y1 - y0) * 0.4), fill=tint(glass, 1.35))
    if bars and px > 5:
        xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
        d.line((xm, y0, xm, y1), fill=frame)
        if bars > 1:
            d.line((x0, ym, x1, ym), fill=frame)
    d.line((x0 - t, y1 + 1, x1 + t, y1 + 1), fill=tint(frame, 0.75))


def facade(
    rng: np.random.Generator, style: Style, width: float, tall: float, px: float, blind: bool
) -> U8:
    """Facade texture, (tall * px, width * px, 3); ``blind`` walls (gable ends) have few windows."""
    w, h = max(4, int(width * px)), max(4, int(tall * px))
    base = _pick(rng, style.walls, 0.2)
    image = Image.new("RGB", (w, h), base)
    d = ImageDraw.Draw(image)
    storey = float(rng.uniform(2.6, 3.4)) * px
    bay = float(rng.uniform(1.9, 3.4)) * px
    win_w, win_h = bay * float(rng.uniform(0.35, 0.75)), storey * float(rng.uniform(0.42, 0.66))
    dark = int(rng.uniform(18, 84))
    glass: Rgb = (dark, int(dark * 1.08), int(dark * 1.18))
    frame = (225, 225, 220) if rng.random() < 0.6 else tint(base, 0.55)
    bars = int(rng.integers(3))
    ribbon = rng.random() < 0.15  # office block: continuous rows of glass
    shop = not blind and rng.random() < (0.45 if tall > 5.5 else 0.1)
    floors = max(1, int(h / storey))
    columns = max(1, int(w / bay))
    margin = (w - columns * bay) / 2
    if rng.random() < 0.3:
        for f in range(1, floors):
            d.line((0, h - f * storey, w, h - f * storey), fill=tint(base, 0.8))
    door = int(rng.integers(columns))
    for f in range(1 if shop else 0, floors):
        y1 = h - f * storey - storey * 0.26
        if ribbon:
            d.rectangle((0, y1 - win_h, w, y1), fill=glass)
            for c in range(columns * 2):
                x = margin + c * bay / 2
                d.line((x, y1 - win_h, x, y1), fill=frame)
            continue
        for c in range(columns):
            if blind and rng.random() < 0.75:
                continue
            x0 = margin + c * bay + (bay - win_w) / 2
            if f == 0 and c == door and not blind:
                paint = _pick(rng, style.cars, 0.1)
                d.rectangle((x0, h - 2.1 * px, x0 + px, h), fill=paint)
                continue
            on = rng.random() < style.lit
            pane = LIT if on else tint(glass, float(rng.uniform(0.75, 1.3)))
            _window(d, (x0, y1 - win_h, x0 + win_w, y1), pane, frame, bars, px)
    if shop:
        sign_y = h - storey
        front = _pick(rng, style.cars, 0.15)
        d.rectangle((0, sign_y, w, h), fill=tint(front, 0.7))
        step = max(2.0, 2.4 * px)
        x = 0.3 * px
        while x < w:
            on = rng.random() < style.lit * 1.6
            pane = LIT if on else tint(glass, float(rng.uniform(0.6, 1.2)))
            d.rectangle((x, sign_y + 0.75 * px, x + step * 0.86, h - 0.4 * px), fill=pane)
            x += step
        d.rectangle((0, sign_y, w, sign_y + 0.6 * px), fill=front)
        x = w * float(rng.uniform(0.1, 0.4))
        d.rectangle((x, sign_y + 0.2 * px, x + 0.35 * w, sign_y + 0.42 * px), fill=(235, 230, 215))
    d.rectangle((0, 0, w, 0.25 * px), fill=tint(base, float(rng.uniform(0.6, 1.15))))
    out = np.asarray(image, dtype=np.float32)
    brick = style.dirt * 0.6 + (0.03 if rng.random() < 0.5 else 0.0)
    shade = 1 + style.dirt * noise_window(rng, h, w, 5.0) + brick * noise_window(rng, h, w, 0.6)
    shade *= np.linspace(1.04, 0.86, h, dtype=np.float32)[:, None]  # street dirt, less sky light
    return np.clip(out * shade[..., None], 0, 255).astype(np.uint8)


def _lit(texture: U8, gain: float) -> U8:
    out: U8 = np.clip(texture.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return out


def draw_building(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A block along the street from z to ``extra``, ``size`` metres to the eaves."""
    side = 1.0 if thing.s > 0 else -1.0
    z0, z1, tall = thing.z, thing.extra, thing.size
    x0, x1 = street.x(thing.s, z0), street.x(thing.s, z1)
    deep = float(rng.uniform(7, 12)) * side
    obj = canvas.new(BUILDING, max(2.0, (max(z0, 2.0) + z1) / 2))
    near = max(z0, 3.0)
    px = float(np.clip(1.1 * canvas.view.scale(near), 2.0, 9.0))
    # The wall turned to the sun is bright, the other one in shade.
    sunny = street.sun[0] * side > 0
    street_gain = float(rng.uniform(0.95, 1.08)) * (1.05 if sunny else 0.8)
    end_gain = 1.0 if street.sun[1] > 0 else 0.78
    if rng.random() < 0.6:
        up = tall + float(rng.uniform(1.5, 3.2))
        xm0, xm1 = x0 + deep / 2, x1 + deep / 2
        roof = _pick(rng, style.roofs, 0.2)
        slope: list[Point3] = [(x0, tall, z0), (x1, tall, z1), (xm1, up, z1), (xm0, up, z0)]
        for _ in range(int(rng.integers(0, 3))):
            zc = float(rng.uniform(z0, z1))
            if zc > 3:
                k = canvas.view.scale(zc)
                along = (zc - z0) / (z1 - z0)
                cx, cy = canvas.view.project((x0 + along * (x1 - x0) + deep * 0.45, up, zc))
                canvas.box(
                    cx - 0.4 * k,
                    cy - 1.0 * k,
                    cx + 0.4 * k,
                    cy + (up - tall) * k,
                    tint(roof, 0.85),
                    obj,
                )
        canvas.solid(slope, roof, obj)
        if z0 > 0.6:
            gable = _pick(rng, style.walls, 0.1)
            canvas.solid([(x0, tall, z0), (x0 + deep, tall, z0), (xm0, up, z0)], gable, obj)
    if z0 > 0.6 and canvas.sees((x0, z0), (x0 + deep, z0)):
        end = facade(rng, style, abs(deep), tall, 0.7 * px, blind=rng.random() < 0.7)
        canvas.wall((x0, z0), (x0 + deep, z0), 0.0, tall, _lit(end, end_gain), obj)
    if not canvas.sees((x0, z0), (x1, z1)):
        return
    front = facade(rng, style, z1 - z0, tall, px, blind=False)
    canvas.wall((x0, z0), (x1, z1), 0.0, tall, _lit(front, street_gain), obj)


def draw_block(
    canvas: Canvas, thing: Thing, street: Street, style: Style, rng: np.random.Generator
) -> None:
    """A far building seen face on, ``extra`` metres wide."""
    x = street.x(thing.s, thing.z)
    obj = canvas.new(BUILDING, thing.z)
    px = float(np.clip(canvas.view.scale(thing.z), 1.5, 9.0))
    if not canvas.sees((x - thing.extra / 2, thing.z), (x + thing.extra / 2, thing.z)):
        return
    texture = facade(rng, style, thing.extra, thing.size, px, blind=False)
    half = thing.extra / 2
    canvas.wall((x - half, thing.z), (x + half, thing.z), 0.0, thing.size, texture, obj)
