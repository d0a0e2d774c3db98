"""Things made of noise and formulas: noise tiles, the sky, and the ground with its markings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

from .canvas import F32, U8, Canvas
from .layout import Street
from .style import Style

TILE = 256
WRAP = TILE - 1  # a power of two, so wrapping around is one cheap bit operation
SKY, ROAD, PAVEMENT, TREE = 0, 3, 4, 5
# Object numbers 0..3 are always the sky and the three kinds of ground.
GROUND_OBJECTS = {SKY: 0, ROAD: 1, PAVEMENT: 2, TREE: 3}


@lru_cache(maxsize=8)
def noise_tile(blur: float) -> F32:
    """Noise of mean 0 and deviation 1, (768, 768) with period 256; ``blur`` is the grain in pixels.

    The tiles come from a fixed seed: scenes differ by where they cut into them.
    """
    rng = np.random.default_rng(np.random.SeedSequence([77, round(blur * 16)]))
    white = rng.standard_normal((TILE, TILE))
    freq = np.fft.fftfreq(TILE)
    keep = np.exp(-2 * (np.pi * blur) ** 2 * (freq[:, None] ** 2 + freq[None, :] ** 2))
    out = np.fft.ifft2(np.fft.fft2(white) * keep).real
    out -= out.mean()
    one = np.asarray(out / out.std(), dtype=np.float32)
    tile: F32 = np.tile(one, (3, 3))  # so that most windows are plain slices
    tile.setflags(write=False)
    return tile


def noise_window(rng: np.random.Generator, h: int, w: int, blur: float) -> F32:
    """A random (h, w) cut of the noise tile, wrapped around."""
    i, j = rng.integers(TILE, size=2)
    if h <= 2 * TILE and w <= 2 * TILE:
        return noise_tile(blur)[i : i + h, j : j + w]
    rows = (np.arange(h) + i) % TILE
    cols = (np.arange(w) + j) % TILE
    wrapped: F32 = noise_tile(blur)[rows[:, None], cols[None, :]]
    return wrapped


def paint_sky(canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
    """Gradient from zenith to horizon with clouds; drawn small, since skies are soft."""
    v = canvas.view
    w, h = max(8, v.width // 4), max(8, v.height // 4)
    top = np.array(style.sky_top, dtype=np.float32)
    low = np.array(style.sky_low, dtype=np.float32)
    t = np.clip(np.arange(h) / max(1.0, v.horizon / 4), 0, 1)[:, None, None] ** 0.8
    sky = np.broadcast_to(top + (low - top) * t, (h, w, 3)).astype(np.float32)
    if style.cloud > 0:
        # Clouds get flatter towards the horizon: sample the noise in the plane of the cloud deck.
        deck = 60.0 / (0.12 + np.clip(1 - np.arange(h) * 4 / max(1.0, v.horizon), 0, 1))
        i0, j0 = rng.integers(TILE, size=2)
        rows = (i0 + deck * 0.6).astype(np.int32)[:, None] % TILE
        cols = (j0 + deck[:, None] * (np.arange(w) - w / 2)[None, :] / w).astype(np.int32) % TILE
        puff = noise_tile(7.0)[rows, cols] * 0.7 + noise_tile(2.0)[rows, cols] * 0.3
        cover = np.clip((puff + style.cloud * 2.4 - 1.2) * 0.9, 0, 1)[..., None]
        grey = np.array(style.cloud_colour, dtype=np.float32)
        lit = grey * (1 - 0.18 * np.clip(puff, 0, 1.5))[..., None]
        sky = sky + (lit - sky) * cover
    small = Image.fromarray(np.clip(sky, 0, 255).astype(np.uint8), "RGB")
    small = small.filter(ImageFilter.BoxBlur(1))
    full = small.resize((v.width, v.height), Image.Resampling.BILINEAR)
    full.putalpha(GROUND_OBJECTS[SKY])
    canvas.image.paste(full)


def _markings(street: Street, s: F32, z: F32, mat: U8) -> None:
    """Paint lane marks into the material map (rows, columns); s is metres from the road centre."""
    half = street.half_road
    on = mat == 1
    dash = (z + street.phase) % street.dash_period < street.dash_length
    for lane in street.lane_lines:
        mat[on & (np.abs(s - lane) < 0.07) & dash] = 2
    if street.solid_centre:
        mat[on & (np.abs(np.abs(s) - 0.12) < 0.06)] = 2
    if street.edge_mark:
        edge = np.abs(np.abs(s) - (half - 0.35)) < 0.06
        if street.edge_mark == 3:  # double line
            edge |= np.abs(np.abs(s) - (half - 0.6)) < 0.06
        mat[on & edge] = 3 if street.edge_mark >= 2 else 2
    if street.bike_lane:
        mat[on & (np.abs(s) > half - 1.4) & (s * street.side > 0)] = 4
    for z0, z1 in street.crossings:
        mat[on & (z > z0) & (z < z1) & ((s + 40) % 1.2 < 0.6) & (np.abs(s) < half)] = 2
        mat[on & (np.abs(z - z0 + 1.4) < 0.15) & (s * street.side > 0)] = 2
    for z0, s0 in street.arrows:
        dz = z - z0
        shaft = (np.abs(s - s0) < 0.1) & (dz > 0) & (dz < 2.6)
        head = (dz >= 2.6) & (dz < 4.2) & (np.abs(s - s0) < (4.2 - dz) * 0.3)
        mat[on & (shaft | head)] = 2


def paint_ground(
    canvas: Canvas, street: Street, style: Style, shadow: U8, rng: np.random.Generator
) -> None:
    """Road, pavements and verges by inverse perspective; ``shadow`` is (H, W), 255 = dark."""
    v = canvas.view
    first = max(0, int(np.floor(v.horizon)) + 1)
    if first >= v.height:
        return
    rows = np.arange(first, v.height, dtype=np.float32)[:, None]
    z = v.focal * v.eye / (rows - np.float32(v.horizon) + 0.25)
    cols = np.arange(v.width, dtype=np.float32)[None, :]
    s = (cols - v.centre_x) * (z / v.focal) - street.centre(z)
    dist = np.abs(s)
    mat = np.full(s.shape, 9, dtype=np.uint8)
    for side, verge, walk in (
        (-1, street.verge[0], street.walk[0]),
        (1, street.verge[1], street.walk[1]),
    ):
        here = s * side > 0
        start = street.half_road + verge
        mat[here & (dist < street.half_road + 0.2)] = 7
        mat[here & (dist >= start) & (dist < start + walk)] = 5
    mat[dist < street.half_road] = 1
    for side, z0, z1 in street.junctions:
        mat[(s * side > 0) & (z > z0) & (z < z1)] = 1
    if street.island is not None:
        z0, z1, wide = street.island
        mat[(dist < wide) & (z > z0) & (z < z1)] = 6
    if street.joint > 0:
        tile = (s % street.joint < 0.04) | (z % street.joint < 0.05)
        mat[tile & (mat == 5) & (z < 14)] = 8
    _markings(street, s, z, mat)
    lut = np.array(style.ground, dtype=np.float32)
    if street.paved:
        lut[9] = lut[5] * 0.94  # forecourts instead of grass
    i0, j0 = rng.integers(TILE, size=2)
    fine = noise_tile(0.6)[
        (z * 23 + i0).astype(np.int32) & WRAP, (s * 31 + j0).astype(np.int32) & WRAP
    ]
    broad = noise_tile(5.0)[
        (z * 1.7 + i0).astype(np.int32) & WRAP, (s * 5 + j0).astype(np.int32) & WRAP
    ]
    calm = np.clip(9.0 / z, 0.15, 1.0)  # grain averages out with distance
    shade = 1 + style.grain * calm * fine + style.stain * broad
    if style.wear > 0:  # wheel tracks are polished
        shade += style.wear * np.cos(s * (2 * np.pi / 1.75)) * (mat == 1)
    dark = shadow[first:].astype(np.float32) * np.float32(style.shadow / 255)
    shade = shade * (1 - dark)
    patch = np.empty((*s.shape, 4), dtype=np.uint8)
    for c in range(3):
        patch[..., c] = np.clip(np.take(lut[:, c], mat) * shade, 0, 255)
    kinds = [TREE, ROAD, ROAD, ROAD, ROAD, PAVEMENT, PAVEMENT, PAVEMENT, PAVEMENT]
    kinds.append(PAVEMENT if street.paved else TREE)
    patch[..., 3] = np.array([GROUND_OBJECTS[k] for k in kinds], dtype=np.uint8)[mat]
    canvas.image.paste(Image.fromarray(patch, "RGBA"), (0, first))
