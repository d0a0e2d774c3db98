"""Light and air of each condition, applied to the drawn picture before the lens.

All functions work on float32 (H, W, 3) pictures in 0..255 at the final resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from .canvas import F32, U8, Lamp
from .style import Style
from .surfaces import noise_window

SKY_DEPTH = 400.0
WET = (3, 4)  # road and pavement mirror the street when wet


@dataclass(frozen=True)
class Shot:
    """What the light needs to know about the drawn scene, at final resolution."""

    label: U8  # (H, W)
    depth: F32  # (H, W) metres
    horizon: float
    centre_x: float
    lamps: tuple[Lamp, ...]

    def sky(self, above: float, below: float) -> F32:
        """A gain (H, W, 1): ``above`` on sky pixels, ``below`` elsewhere."""
        gain = np.where(self.label == 0, np.float32(above), np.float32(below))
        return np.asarray(gain[..., None], dtype=np.float32)


Weather = Callable[[F32, Shot, Style, np.random.Generator], F32]


def _rgb(r: float, g: float, b: float) -> F32:
    return np.array((r, g, b), dtype=np.float32)


def haze(image: F32, depth: F32, reach: float, colour: F32) -> F32:
    """Fade to ``colour``; at ``reach`` metres two thirds of the contrast are gone."""
    keep = np.exp(-depth / np.float32(reach))[..., None]
    keep[depth >= SKY_DEPTH] = 1.0  # the sky's own colours already hold its haze
    hazed: F32 = image * keep + colour * (1 - keep)
    return hazed


def _glow(shape: tuple[int, ...], lamps: tuple[Lamp, ...], gain: float) -> F32:
    """Light spilled around lamps, (H, W, 3); drawn at a quarter of the size."""
    h, w = shape[0] // 4 + 1, shape[1] // 4 + 1
    out = np.zeros((h, w, 3), dtype=np.float32)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    for lamp in sorted(lamps, key=lambda p: -p.radius)[:40]:
        r2 = max(1.2, lamp.radius * 0.9) ** 2
        fall = 1 / (1 + ((xx - lamp.x / 4) ** 2 + (yy - lamp.y / 4) ** 2) * (4 / r2))
        out += (fall * np.sqrt(fall))[..., None] * _rgb(*lamp.colour)
    small = Image.fromarray(np.clip(out * gain, 0, 255).astype(np.uint8), "RGB")
    size = (shape[1], shape[0])
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def _mirror_road(image: F32, shot: Shot, amount: float) -> F32:
    """Mirror the street in the wet road: rows below the horizon show the rows above it."""
    h = image.shape[0]
    y0 = int(np.clip(shot.horizon, 1, h - 2))
    rows = np.clip(2 * y0 - np.arange(y0, h), 0, h - 1)
    mirror = image[rows]
    for shift in (2, 5):  # smear along the line of sight
        mirror = (mirror + np.roll(mirror, shift, axis=0)) * np.float32(0.5)
    ground = np.isin(shot.label[y0:], WET)[..., None]
    out = image.copy()
    below = image[y0:]
    out[y0:] = np.where(ground, below * (0.72 - amount * 0.4) + mirror * amount, below)
    return out


def _drops(image: F32, rng: np.random.Generator) -> F32:
    """Rain streaks, and drops on the windscreen that show a blurred picture."""
    h, w = image.shape[:2]
    streak = noise_window(rng, h, w, 0.6).copy()
    for k in (1, 2, 4, 8):
        streak += np.roll(streak, k, axis=0)
    image = image + np.clip(streak - 7.0, 0, 4)[..., None] * 6
    soft = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8), "RGB")
    blurred = np.asarray(soft.filter(ImageFilter.BoxBlur(5 * h / 224)), dtype=np.float32) * 1.06
    wet = noise_window(rng, h, w, 4.0) > 1.5
    return np.where(wet[..., None], blurred, image)


def clear(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """A fair day: a little haze, exposure from full to slightly under."""
    image = haze(image, shot.depth, rng.uniform(400, 900), _rgb(206, 214, 222))
    return image * shot.sky(1.1, rng.uniform(0.85, 1.15))


def overcast(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """A white sky that the exposure is set for, over a dull street."""
    image = haze(image, shot.depth, rng.uniform(220, 500), _rgb(200, 204, 208))
    flat = image.mean(axis=2, keepdims=True)
    dull: F32 = (flat + (image - flat) * 0.7) * shot.sky(1.05, rng.uniform(0.55, 0.85))
    return dull


def glare(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """A low sun ahead: veiling light around it and a dark street below."""
    h, w = image.shape[:2]
    cx = shot.centre_x + rng.uniform(-0.25, 0.25) * w
    cy = shot.horizon - rng.uniform(0.1, 0.35) * h
    xx = (np.arange(w, dtype=np.float32) - np.float32(cx))[None, :]
    yy = (np.arange(h, dtype=np.float32) - np.float32(cy))[:, None]
    far = np.hypot(xx, yy) / w
    disc = 280 * np.exp(-((far / 0.16) ** 2)) * shot.sky(1.0, 0.3)[..., 0]  # houses hide the sun
    sun = disc + 150 * np.exp(-far / rng.uniform(0.25, 0.45))
    image = image * shot.sky(1.0, rng.uniform(0.4, 0.62))
    veiled: F32 = image + sun[..., None] * _rgb(1.0, 0.92, 0.76)
    return veiled


def fog(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """Grey air that swallows everything beyond a few car lengths, the sky included."""
    grey = rng.uniform(185, 222)
    image = haze(image * 0.9, shot.depth, rng.uniform(16, 55), _rgb(grey, grey * 1.01, grey * 1.02))
    return np.where((shot.label == 0)[..., None], grey + (image - grey) * 0.15, image)


def rain(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """A mirroring road, grey air, streaks and a wet windscreen."""
    image = _mirror_road(image, shot, rng.uniform(0.3, 0.55))
    image = haze(image, shot.depth, rng.uniform(60, 160), _rgb(168, 174, 180))
    image = image * rng.uniform(0.55, 0.8) + _glow(image.shape, shot.lamps, 0.3)
    return _drops(image, rng)


def dusk(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """A coloured sky over a street that is too dark for the exposure, lamps lit."""
    low = style.sky_low
    light = _rgb(1.0, 0.84, 0.78) * rng.uniform(0.32, 0.55)
    image = haze(image, shot.depth, rng.uniform(200, 500), _rgb(low[0] * 0.7, low[1], low[2]))
    image = np.where((shot.label == 0)[..., None], image * 0.9, image * light)
    return image + _glow(image.shape, shot.lamps, 0.8)


def night(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> F32:
    """Street lamps, other cars' lights, and the own headlamps on the near road."""
    light = _rgb(0.8, 0.72, 0.78) * rng.uniform(0.24, 0.4)
    beam = np.exp(-shot.depth / 16)[..., None] * _rgb(1.0, 0.94, 0.8)
    dark = np.where((shot.label == 0)[..., None], image * 0.9, image * (light + 0.42 * beam))
    return dark + _glow(image.shape, shot.lamps, 1.2)


# Keys are style.CONDITIONS.
WEATHER: dict[str, Weather] = {
    "clear": clear,
    "overcast": overcast,
    "glare": glare,
    "fog": fog,
    "rain": rain,
    "dusk": dusk,
    "night": night,
}
