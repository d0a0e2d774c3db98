"""From light to pixels: the sensor of the camera domain and the plain output of the renderer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from .canvas import F32, U8
from .style import Style
from .surfaces import noise_window
from .weather import WEATHER, Shot, haze

LEVELS = 4  # table steps per grey value; a table is far cheaper than a power per pixel


def _tone(image: F32, curve: F32) -> F32:
    """Look brightness 0..255 up in ``curve``, (256 * LEVELS,)."""
    level = np.clip(image, 0, 255) * LEVELS
    toned: F32 = curve[level.astype(np.int16)]
    return toned


def _ramp() -> F32:
    return np.linspace(0, 1, 256 * LEVELS, dtype=np.float32)


def _sensor(image: F32, dark: bool, rng: np.random.Generator) -> U8:
    """White balance, vignetting, tone curve, noise, lens softness and JPEG."""
    h, w = image.shape[:2]
    u = rng.uniform
    balance = np.array((u(0.92, 1.1), 1.0, u(0.88, 1.1)), dtype=np.float32)
    yy = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    xx = np.linspace(-1, 1, w, dtype=np.float32)[None, :]
    vignette = 1 - np.float32(0.6 * u(0.12, 0.34)) * (xx * xx + yy * yy)
    curve = _ramp() ** np.float32(u(0.9, 1.25))
    curve += np.float32(2 * u(0.0, 0.2)) * curve * (1 - curve) * (2 * curve - 1)
    tone = _tone(image * balance * vignette[..., None], curve)
    sigma = u(6, 11) if dark else u(2, 6)
    grain = np.stack([noise_window(rng, h, w, 0.0) for _ in range(3)], axis=-1)
    grain = np.float32(0.8) * grain + np.float32(0.6) * noise_window(rng, h, w, 0.8)[..., None]
    noisy = tone * 255 + np.float32(sigma) * grain * (np.float32(0.5) + np.float32(0.6) * tone)
    soft = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8), "RGB")
    soft = soft.filter(ImageFilter.BoxBlur(u(0.3, 0.85) * h / 224))
    store = io.BytesIO()
    soft.save(store, "JPEG", quality=int(rng.integers(38, 82)))
    return np.array(Image.open(store).convert("RGB"))


def photograph(image: F32, shot: Shot, style: Style, rng: np.random.Generator) -> U8:
    """The camera domain: weather, then lens and sensor. Returns uint8 (H, W, 3)."""
    h, w = shot.label.shape
    grit = 1 + np.float32(0.05) * noise_window(rng, h, w, 0.6)
    grit[shot.label == 0] = 1
    lit = WEATHER[style.condition](image * grit[..., None], shot, style, rng)
    return _sensor(lit, style.condition in ("night", "dusk"), rng)


def render(image: F32, shot: Shot, rng: np.random.Generator) -> U8:
    """The rendered domain: fair light of varying strength, a faint far haze, nothing else."""
    u = rng.uniform
    far = np.array((205, 222, 240), dtype=np.float32)
    image = haze(image, shot.depth, u(500, 1500), far)
    warm = np.array((u(0.95, 1.06), 1.0, u(0.93, 1.06)), dtype=np.float32)
    lit = image * (shot.sky(u(0.95, 1.1), u(0.42, 1.12)) * warm)
    curve = _ramp() ** np.float32(u(0.85, 1.3)) * 255 + np.float32(0.5)
    return _tone(lit, curve).astype(np.uint8)
